/* Open spans live in slots of the ring from start to end, so that a killed process leaves them readable.
 *
 * W threads start spans in slots of their own and end spans of anyone (a Span may move between threads, and two calls
 * of end() may race). A slot's word holds state, use count and, while ENDING, the ending thread and the ordinal that
 * its record will take; it changes in one store or one CAS. `record` is what a thread's chunks and seal say: one
 * entry per ordinal below `accepted` (pool.pml shows that recovery computes that number).
 *
 * Property: a kill may come between any two steps. In every state, each span whose start() has returned is found by a
 * recovery exactly once: as a record (or an ordinal without a chunk, a counted drop), or as an unfinished span. OPEN is
 * unfinished; ENDING is unfinished only if its ordinal was not published. A kill comes at an instruction and everything
 * before it has happened, so the order here is program order; the stores must only not be reordered by the compiler.
 *
 * Flawed variants, each of which must fail:
 *   FREE_FIRST     the slot is freed before the record is published                                     lost
 *   NO_ENDING      the slot stays OPEN until the record is published                                    twice
 *   ENDING_IS_UNFINISHED  recovery stores every ENDING slot as unfinished                               twice
 *   ENDING_IS_DONE recovery takes every ENDING slot for published                                       lost
 *   ORDINAL_LATE   the ordinal is written after the state: an old one may stand there                   lost
 *   OPEN_FIRST     the slot is OPEN before it is filled: the old content may stand there                twice
 *   NO_CAS         end() looks and then stores: two ends of one span                                    twice
 *   NO_USE_COUNT   the CAS compares the state only: a late second end() ends another span */
#ifndef W
#define W 2
#endif
#ifndef N
#define N 2                                             /* slots; slot i belongs to thread i % W */
#endif
#ifndef S
#define S 4                                             /* spans in all */
#endif
#define FREE 0
#define OPEN 1
#define ENDING 2
#define NONE 15

byte state[N], use[N], by[N], at[N];               /* the slot's word */
byte content[N];                                        /* which span it holds, 1.. */
byte record[W * S], accepted[W];                        /* per thread: the span of each published ordinal */
byte next_span = 1, started;                            /* ghosts: the next span; set of spans whose start() is done */

#define BIT(o) (1 << (o))

hidden byte vi, vs, vt, vn;

/* what a recovery would find at this instant */
inline settled() {
  vs = 1;
  do
  :: vs <= S ->
     vn = 0; vi = 0;
     do
     :: vi < N ->
        if
        :: content[vi] == vs && state[vi] == OPEN -> vn++
#ifdef ENDING_IS_UNFINISHED
        :: content[vi] == vs && state[vi] == ENDING -> vn++
#else
#ifndef ENDING_IS_DONE
        :: content[vi] == vs && state[vi] == ENDING && at[vi] >= accepted[by[vi]] -> vn++
#endif
#endif
        :: else
        fi;
        vi++
     :: else -> break
     od;
     vt = 0;
     do
     :: vt < W ->
        vi = 0;
        do
        :: vi < accepted[vt] -> if :: record[vt * S + vi] == vs -> vn++ :: else fi; vi++
        :: else -> break
        od;
        vt++
     :: else -> break
     od;
     assert(vn == ((started >> vs) & 1));
     vs++
  :: else -> break
  od;
  vi = 0
}

proctype thread(byte t) {
  byte i = NONE, u, id;
  do
  :: atomic { next_span <= S && state[t] == FREE -> i = t; id = next_span; next_span++ }
#ifdef OPEN_FIRST
     atomic { state[i] = OPEN; use[i]++ }
     atomic { content[i] = id; started = started | BIT(id) }
#else
     content[i] = id;
     atomic { state[i] = OPEN; use[i]++; started = started | BIT(id) }
#endif
     atomic { i = NONE; id = 0 }
  :: atomic {
       if
       :: state[0] == OPEN -> i = 0
#if N > 1
       :: state[1] == OPEN -> i = 1
#endif
       fi;
       u = use[i]; id = content[i]
     }
     atomic {
       if
#ifdef NO_CAS
       :: true ->
#elif defined(NO_USE_COUNT)
       :: state[i] == OPEN ->
#else
       :: state[i] == OPEN && use[i] == u ->
#endif
          assert(content[i] == id);
#ifndef NO_ENDING
          state[i] = ENDING;
#ifndef ORDINAL_LATE
          by[i] = t; at[i] = accepted[t];
#endif
#endif
          u = 0
       :: else -> i = NONE; u = 0; id = 0
       fi
     }
     if
     :: i == NONE
     :: i != NONE ->
#ifdef ORDINAL_LATE
        atomic { by[i] = t; at[i] = accepted[t] }
#endif
#ifdef FREE_FIRST
        state[i] = FREE;
#endif
        atomic { record[t * S + accepted[t]] = id; accepted[t]++ }
#ifndef FREE_FIRST
        state[i] = FREE;
#endif
        atomic { i = NONE; id = 0 }
     fi
  od
}

proctype killer() { do :: d_step { settled() } od }

init {
  atomic {
    run thread(0);
#if W > 1
    run thread(1);
#endif
    run killer()
  }
}
