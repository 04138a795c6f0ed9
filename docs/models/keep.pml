/* Retroactive keep: a trace is marked after its spans were counted as sampled out, and the engine fetches them out of
 * the pool.
 *
 * One thread records R spans of one trace, none of them sampled; each may be a marking one (it ends in error). The ring
 * holds the last CHUNKS of them (one a chunk) and takes the oldest. The engine, killed between any two steps, does in
 * any order:
 *   drain  one transaction: count the span as sampled out, move the cursor; if it marks: the mark; if the trace is
 *          marked: keep it
 *   fetch  while the mark asks for it: every span below the cursor that is still in the ring, each in one transaction
 *   clean  delete the rows of `kept` below the oldest chunk
 * To keep a span: INSERT OR IGNORE of its (ring, slot, ordinal) into `kept`; only if that changed a row, store it.
 *
 * Property: nothing is stored twice, accepted + retro_kept = stored + dropped + in_ring in every state between two
 * steps of the engine, a marking span below the cursor has its mark, and when the mark is served every span of the
 * trace below the cursor is stored or had left the ring unstored.
 *
 * Flawed variants, each of which must fail:
 *   PLAIN_INSERT     stored without asking whether the row is new                                     twice
 *   ROW_FIRST        row and span in two transactions, the row first                                  never kept
 *   SPAN_FIRST       row and span in two transactions, the span first                                 twice
 *   MARK_LATER       the mark is written in a transaction of its own, after the marking span's        never kept
 *   CLEAN_BY_CURSOR  rows below the drain cursor are deleted                                          twice
 *   NO_RECHECK       the copy is used without looking at the generation again                         wrong span kept */
#ifndef R
#define R 5
#endif
#ifndef CHUNKS
#define CHUNKS 2
#endif
#define BIT(o) (1 << (o))
#define NO_MARK 0
#define ASKED 1
#define SERVED 2

byte head[CHUNKS], body[CHUNKS], gen[CHUNKS], next_chunk;       /* ordinal + 1; 0: being written */
byte told, marking, gone;                               /* ghosts: sets of ordinals that mark, that left the ring unstored */
byte cursor, sampled_out, buffer_full, kept, rows, retro_kept, mark;    /* the database; rows: number of stored spans */
byte stored;                                            /* ghost: set of stored spans */

hidden byte vo;

inline settled() {
  assert(told + retro_kept == rows + sampled_out + buffer_full + (told - cursor));
  vo = 0;
  do
  :: vo < cursor ->
     assert(!(marking & ~gone & BIT(vo)) || mark != NO_MARK);
     assert(mark != SERVED || (stored | gone) & BIT(vo));
     vo++
  :: else -> break
  od;
  vo = 0
}

proctype thread() {
  do
  :: told < R ->
     d_step {                                           /* claim */
       if
       :: head[next_chunk] && !(stored & BIT(head[next_chunk] - 1)) -> gone = gone | BIT(head[next_chunk] - 1)
       :: else
       fi;
       gen[next_chunk]++; head[next_chunk] = 0
     }
     atomic {
       if :: marking = marking | BIT(told) :: true fi;
       body[next_chunk] = told + 1
     }
     d_step { told++; head[next_chunk] = told; next_chunk = (next_chunk + 1) % CHUNKS }
  :: else -> break
  od
}

#define KILL if :: goto out :: true fi

inline store(o) { assert(!(stored & BIT(o))); stored = stored | BIT(o); rows++; retro_kept++ }

inline keep(o) {                                        /* inside a transaction */
#ifdef PLAIN_INSERT
  kept = kept | BIT(o); store(o)
#else
  if :: !(kept & BIT(o)) -> kept = kept | BIT(o); store(o) :: else fi
#endif
}

proctype engine() {
  byte i, b = CHUNKS, o, g, copy; bool asks;
round:
  atomic { b = CHUNKS; d_step { settled() } }
  if
  :: cursor < told ->                                   /* drain */
     atomic {
       o = told; i = 0;
       do
       :: i < CHUNKS -> if :: head[i] > cursor && head[i] - 1 < o -> b = i; o = head[i] - 1 :: else fi; i++
       :: else -> break
       od;
       i = 0; if :: b < CHUNKS -> g = gen[b] :: else fi
     }
     if
     :: b == CHUNKS ->
        d_step { do :: cursor < o -> assert(gone & BIT(cursor)); buffer_full++; cursor++ :: else -> break od; vo = 0 }
     :: else ->
        copy = body[b];
        if
#ifndef NO_RECHECK
        :: gen[b] != g
#endif
        :: else ->
           d_step {
             do :: cursor < o -> assert(gone & BIT(cursor)); buffer_full++; cursor++ :: else -> break od;
             assert(copy == o + 1);
             sampled_out++; cursor++; asks = (marking >> o) & 1;
#ifndef MARK_LATER
             if :: asks -> mark = ASKED :: else fi;
#endif
             if :: asks || mark != NO_MARK -> keep(o) :: else fi;
             vo = 0
           }
#ifdef MARK_LATER
           KILL;
           if :: asks -> mark = ASKED :: else fi
#endif
        fi
     fi
  :: mark == ASKED ->                                   /* fetch */
     i = 0;
     do
     :: i < CHUNKS ->
        atomic { o = head[i]; g = gen[i] }
        if
        :: o && o <= cursor ->
           o--; copy = body[i];
           if
#ifndef NO_RECHECK
           :: gen[i] != g
#endif
           :: else ->
#ifdef ROW_FIRST
              atomic { asks = !(kept & BIT(o)); kept = kept | BIT(o) }
              KILL;
              d_step { if :: asks -> store(o) :: else fi; asks = false }
#elif defined(SPAN_FIRST)
              d_step { if :: !(kept & BIT(o)) -> store(o) :: else fi; vo = 0 }
              KILL;
              kept = kept | BIT(o);
#else
              d_step { assert(copy == o + 1); keep(o); vo = 0 }
#endif
           fi
        :: else
        fi;
        atomic { i++; o = 0; g = 0; copy = 0 }
        KILL
     :: else -> break
     od;
     mark = SERVED
  :: kept ->                                            /* clean */
     d_step {
       o = told; i = 0;
       do
       :: i < CHUNKS -> if :: head[i] && head[i] - 1 < o -> o = head[i] - 1 :: else fi; i++
       :: else -> break
       od;
#ifdef CLEAN_BY_CURSOR
       o = cursor;
#endif
       kept = kept & ~(BIT(o) - 1)
     }
  fi;
out:
  atomic { i = 0; b = 0; o = 0; g = 0; copy = 0; asks = false }
  goto round
}

init { atomic { run thread(); run engine() } }
