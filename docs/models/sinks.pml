/* Two sinks with cursors of their own: spans go to a database, log records to a file with a state file beside it.
 *
 * The ring is simplified to chunks of one record (CHUNKS of them; pool.pml has the rest). A database commit is one
 * step. The log sink appends a line, then writes one of two state slots (sequence, size, durable size, cursor,
 * checksum); a slot in the middle of being written is invalid. Now and then: fdatasync of the log, a state slot that
 * says so, fdatasync of the state. The engine may be killed between any two of these steps, any number of times; the
 * next one takes the newest valid slot, cuts the file to its size and goes on from both cursors.
 *
 * Property: whenever the engine is between two rounds, each sink has each record of its class below its cursor exactly
 * once and in order, or the record was stolen before the sink had committed it; above its cursor: in the ring, or
 * stolen. Property (-DPOWER, once, at any moment): what had been promised durable is kept, and nothing unreadable is.
 * A write that was not synced is there, or not, or torn, each by itself. The ring is gone then.
 *
 * Flawed variants, each of which must fail:
 *   ONE_CURSOR     the log sink goes by the database's cursor                                          lost
 *   RELEASE_ONE    a chunk is released when the database has it                                        lost
 *   SLOT_FIRST     the state slot is written before the line                                           lost
 *   NO_CUT         a new engine does not cut the file                                                  twice
 *   ONE_SLOT       one state slot, written in place                                                    lost, twice
 *   with POWER:
 *   NO_CHECKSUM    the committed size is believed without a checksum over what was not synced          unreadable kept
 *   STATE_UNSYNCED only the log is synced, not the state file                                          durable lost
 *   DURABLE_FIRST  the slot says durable before the log is synced                                      unreadable kept
 *   NO_FALLBACK    no valid slot: begin with an empty file (two unsynced slots can be torn together)   durable lost */
#ifndef R
#define R 3
#endif
#ifndef CHUNKS
#define CHUNKS 2
#endif
#ifndef SYNCS
#define SYNCS 1
#endif
#define BIT(o) (1 << (o))
#define LOG(o) (logs & BIT(o))

byte told, logs, ring, released;                        /* records made; sets of ordinals: logs, in the ring, drained */
byte stolen_span, stolen_log;                           /* ghosts: stolen before the sink had committed it */
byte db_cursor, db_rows;
byte line[R + 1], lines;                                /* the log file: ordinal + 1 of each line */
byte seq[2], size[2], durable[2], log_cursor[2]; bool valid[2] = true;
#ifdef POWER
byte synced_lines, promised;
byte d_seq[2], d_size[2], d_durable[2]; bool dirty[2];  /* the state slots as they are on the disk */
bool off;
#define ON !off
#else
#define ON true
#endif

#define NEWEST (valid[0] && (!valid[1] || seq[0] >= seq[1]) -> 0 : 1)
#define COMMITTED (valid[0] || valid[1] -> log_cursor[NEWEST] : 0)

hidden byte vo, vi, vn;

inline settled() {
  vo = 0; vn = 0;
  do
  :: vo < told ->
     if
     :: LOG(vo) ->
        if
        :: vo < log_cursor[NEWEST] -> if :: vn < size[NEWEST] && line[vn] == vo + 1 -> vn++ :: else -> assert(stolen_log & BIT(vo)) fi
        :: else -> assert((ring | stolen_log) & BIT(vo))
        fi
     :: else ->
        if
        :: vo < db_cursor -> assert((db_rows | stolen_span) & BIT(vo))
        :: else -> assert(!(db_rows & BIT(vo)) && (ring | stolen_span) & BIT(vo))
        fi
     fi;
     vo++
  :: else -> break
  od;
  assert(vn == lines && lines == size[NEWEST]);         /* exactly these lines, in this order */
  vo = 0
}

proctype thread() {
  do
  :: ON && told < R ->
     d_step {
       vn = 0; vi = R; vo = 0;
       do
       :: vo < told ->
          if
          :: ring & BIT(vo) -> vn++; if :: vi == R || (released & BIT(vo) && !(released & BIT(vi))) -> vi = vo :: else fi
          :: else
          fi;
          vo++
       :: else -> break
       od;
       if
       :: vn == CHUNKS ->
          if
          :: !(released & BIT(vi)) && LOG(vi) && vi >= COMMITTED -> stolen_log = stolen_log | BIT(vi)
          :: !(released & BIT(vi)) && !LOG(vi) && vi >= db_cursor -> stolen_span = stolen_span | BIT(vi)
          :: else
          fi;
          ring = ring & ~BIT(vi); released = released & ~BIT(vi)
       :: else
       fi;
       vi = 0; vo = 0; vn = 0
     }
     atomic {
       if :: logs = logs | BIT(told) :: true fi;
       ring = ring | BIT(told); told++
     }
  :: told == R -> break
#ifdef POWER
  :: off -> break
#endif
  od
}

#define KILL if :: goto recover :: true fi

inline write_slot(n, d, c) {                            /* two steps: a kill between them leaves an invalid slot */
#ifdef ONE_SLOT
  j = 0;
#else
  j = 1 - NEWEST;
#endif
  atomic {
    ON -> valid[j] = false;
#ifdef POWER
    dirty[j] = true
#endif
  }
  KILL;
  atomic { ON -> seq[j] = seq[1 - j] + 1; size[j] = n; durable[j] = d; log_cursor[j] = c; valid[j] = true; j = 0 }
}

proctype engine() {
  byte o, j, c, syncs; bool is_log, have;
recover:
  atomic {
    ON -> o = 0; j = 0; c = 0; is_log = false; have = false;
    if :: !valid[0] && !valid[1] -> valid[0] = true; seq[0] = 0; size[0] = 0; log_cursor[0] = 0 :: else fi;
#ifndef NO_CUT
    lines = size[NEWEST];
#ifdef POWER
    if :: synced_lines > lines -> synced_lines = lines :: else fi
#endif
#endif
  }
round:
  atomic { ON -> have = false; d_step { settled() } }
  if
  :: d_step {                                           /* the lowest record above the lower cursor, copied */
       c = log_cursor[NEWEST];
#ifdef ONE_CURSOR
       c = db_cursor;
#endif
       o = (db_cursor < c -> db_cursor : c);
       do
       :: o < told && !(ring & BIT(o)) -> o++
       :: else -> break
       od;
       have = (o < told); is_log = have && LOG(o);
     }
     if
     :: db_cursor < o + have ->
        d_step {
          do
          :: db_cursor < o + have ->
             if
             :: db_cursor == o && !is_log -> assert(!(db_rows & BIT(o))); db_rows = db_rows | BIT(o)
             :: db_cursor < o && !LOG(db_cursor) -> assert(stolen_span & BIT(db_cursor))
             :: else
             fi;
             db_cursor++
          :: else -> break
          od;
#ifdef RELEASE_ONE
          if :: have && ring & BIT(o) -> released = released | BIT(o) :: else fi;
#endif
          vo = 0
        }
        KILL
     :: else
     fi;
     if
     :: c < o + have ->
#ifdef SLOT_FIRST
        write_slot(lines + is_log, durable[NEWEST], o + have); KILL;
        if :: is_log -> atomic { ON -> line[lines] = o + 1; lines++ } :: else fi;
#else
        if :: is_log -> atomic { ON -> line[lines] = o + 1; lines++ } KILL :: else fi;
        write_slot(lines, durable[NEWEST], o + have);
#endif
        KILL
     :: else
     fi;
     atomic {
       ON;
       if :: have && ring & BIT(o) && db_cursor > o && log_cursor[NEWEST] > o -> released = released | BIT(o) :: else fi;
       o = 0; c = 0; have = false; is_log = false
     }
#ifdef POWER
  :: syncs < SYNCS ->
     syncs++;
#ifdef DURABLE_FIRST
     write_slot(lines, lines, log_cursor[NEWEST]); KILL;
     atomic { ON -> synced_lines = lines } KILL;
#else
     atomic { ON -> synced_lines = lines } KILL;        /* fdatasync of the log */
     write_slot(lines, lines, log_cursor[NEWEST]); KILL;
#endif
     atomic { ON;                                       /* fdatasync of the state file */
#ifndef STATE_UNSYNCED
       d_seq[0] = seq[0]; d_size[0] = size[0]; d_durable[0] = durable[0]; dirty[0] = false;
       d_seq[1] = seq[1]; d_size[1] = size[1]; d_durable[1] = durable[1]; dirty[1] = false;
#endif
       promised = synced_lines
     }
#endif
  fi;
  goto round
}

#ifdef POWER
inline slot_after(i, sq, sz, du, ok) {                  /* the slot as the next boot finds it */
  if
  :: sq = d_seq[i]; sz = d_size[i]; du = d_durable[i]; ok = true
  :: dirty[i] && valid[i] -> sq = seq[i]; sz = size[i]; du = durable[i]; ok = true
  :: dirty[i] -> ok = false
  fi
}

proctype power() {
  byte s0, z0, u0, s1, z1, u1, keep, bad; bool ok0, ok1;
  atomic {
    off = true;
    slot_after(0, s0, z0, u0, ok0); slot_after(1, s1, z1, u1, ok1);
    bad = synced_lines;                                 /* the first unreadable line: anything that was not synced */
    do
    :: bad < lines -> bad++
    :: break
    od;
    if
    :: ok1 && (!ok0 || s1 > s0) -> s0 = s1; z0 = z1; u0 = u1
    :: !ok0 && !ok1 ->
#ifdef NO_FALLBACK
       z0 = 0; u0 = 0
#else
       z0 = bad; u0 = bad                               /* no valid slot: as far as whole lines go */
#endif
    :: else
    fi;
#ifdef NO_CHECKSUM
    keep = z0;
#else
    if :: z0 <= bad -> keep = z0 :: else -> keep = u0 fi;
#endif
    assert(keep <= bad);                                /* nothing unreadable */
    assert(keep >= promised)                            /* what was promised durable is there */
  }
}
#endif

init {
  atomic {
    run thread(); run engine();
#ifdef POWER
    run power()
#endif
  }
}
