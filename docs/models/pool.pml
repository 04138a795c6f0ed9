/* The pool of chunks: W threads record R records each into C chunks of K records; an engine drains them.
 *
 * Property: at every moment, each record that a caller was told about is stored once, or still readable in the ring,
 * or lawfully lost (its unread chunk was stolen, or there was no chunk for it), and the engine counts as dropped only
 * what was lawfully lost. Also: what recovery computes as accepted from the file alone is what callers were told.
 *
 * Two arguments keep the model small, and both are exact:
 *  - The engine keeps nothing between rounds but its committed cursor. A killed engine therefore is a round that is
 *    left early, and leaving it before its first write changes nothing: only "after the commit, before the release"
 *    is a choice here. Any number of engine deaths is covered.
 *  - After the application has died nothing moves but the engine, whose steps could as well have come before the
 *    death. So a death is looked at between two rounds only, and then it is no step at all: settled() checks in every
 *    such state what a recovery would find.
 * Other steps are merged only where nobody can see the difference; -DFINE takes them apart (smaller bounds).
 * The order of chunks is kept as a rank (last taken = highest), not as an ever growing sequence number.
 *
 * Flawed variants, each of which must fail:
 *   GAP_BY_SCAN       a gap is believed from one scan, without the sealed ordinal read before it
 *   NO_RECHECK        the copy is used without looking at the generation again
 *   CLAIM_LATE        no release fence after the claim: header and payload may be written before CLAIM is visible
 *   PUBLISH_FIRST     the length is published before the payload
 *   FULL_AFTER_COUNT  the length is read before FULL is seen
 *   CURSOR_EARLY      a successor reads its cursors while it still waits for the lock
 *   RELEASE_EARLY     the chunk is released before the commit
 *   FREE_BITS         "released" is one bit that the taker clears, not the generation that was drained
 *   RELEASE_ABOVE     only chunks with records above the cursor are looked at, so that a chunk whose last record was
 *                     drained before it was full, or whose engine died before the release, is never released
 *   DEAD_BY_SEALED    recovery takes the sealed ordinal for the accepted one (OWNED chunks forgotten)
 *   SPIN_IF_NONE      a thread that finds no chunk tries until there is one
 * ANY_CHOICE is not a flaw: the thread may take any chunk that is not owned, as if its look at the pool were old. */
#ifndef W
#define W 2
#endif
#ifndef C
#define C 2
#endif
#ifndef K
#define K 2
#endif
#ifndef R
#define R 3
#endif
#define TRIES 2
#define NONE 15
#define FREE 0
#define OWNED 1
#define FULL 2
#define CLAIM 3

byte state[C], gen[C];                                  /* the word */
byte slot[C], first[C], committed[C], rank[C];          /* the header, written by the owner */
byte released[C];                                       /* the header field that the engine writes */
byte data[C * K];                                       /* a record knows its thread and ordinal */
byte sealed[W];
byte cursor[W];                                         /* the database; changed in one transaction with the rows */
byte ended, quiet;                                      /* threads that ended; threads that the engine has finished after that */
byte stored[W], told[W], lawful[W];                     /* ghosts: sets of ordinals stored and lawfully lost; the count told */

#define RECORD(s, o) ((s) * 16 + (o) + 1)
#define BIT(o) (1 << (o))
#define HOLDS(i, s) ((state[i] == FULL || state[i] == OWNED) && slot[i] == s)
#ifdef FREE_BITS
#define DRAINED(i) (released[i] == 1)
#define RELEASE(i, g) released[i] = 1
#define TAKEN(i) released[i] = 0
#else
#define DRAINED(i) (released[i] == gen[i])
#define RELEASE(i, g) released[i] = g
#define TAKEN(i) skip
#endif
#ifdef FINE
#define MERGED
#else
#define MERGED atomic
#endif
#ifdef CURSOR_EARLY                                     /* what this engine believes; early: what its successor has read */
byte known[W], early[W];
#else
#define known cursor
#endif

hidden byte vi, vs, vo, va, vfound;         /* scratch of checks, no part of the state */

inline settled() {
  vs = 0;
  do
  :: vs < W ->
     va = sealed[vs]; vi = 0;
#ifndef DEAD_BY_SEALED
     do
     :: vi < C ->
        if
        :: state[vi] == OWNED && slot[vi] == vs && first[vi] == sealed[vs] -> va = sealed[vs] + committed[vi]
        :: else
        fi;
        vi++
     :: else -> break
     od;
#endif
     assert(va == told[vs]);                            /* accepted is what callers were told */
     vo = 0;
     do
     :: vo < va ->
        vfound = false; vi = 0;
        do
        :: vi < C ->
           if
           :: HOLDS(vi, vs) && first[vi] <= vo && vo < first[vi] + committed[vi] ->
              assert(data[vi * K + vo - first[vi]] == RECORD(vs, vo)); vfound = true
           :: else
           fi;
           vi++
        :: else -> break
        od;
        if
        :: vo < cursor[vs] -> assert(stored[vs] & BIT(vo) || lawful[vs] & BIT(vo))
        :: else -> assert(!(stored[vs] & BIT(vo))); assert(vfound || lawful[vs] & BIT(vo))
        fi;
        vo++
     :: else -> break
     od;
     vs++
  :: else -> break
  od;
  vs = 0
}

inline drop(s, upto) {                                  /* inside the transaction */
  do
  :: known[s] < upto -> assert(lawful[s] & BIT(known[s])); known[s]++
  :: else -> break
  od;
  cursor[s] = known[s]
}

proctype thread(byte s) {
  byte ord, n, c = NONE, g, q;
  do
  :: ord < R ->
     if
     :: c == NONE || n == K ->
        if
        :: c != NONE -> sealed[s] = ord; atomic { state[c] = FULL; c = NONE; n = 0 }
        :: else
        fi;
        q = 0;
        do
        :: q < TRIES ->
           atomic {
             d_step {                                   /* choose: drained or FREE first, then FULL; lowest rank */
               c = NONE; vi = 0;
               do
               :: vi < C ->
                  if
                  :: (state[vi] == FREE || (state[vi] == FULL && DRAINED(vi))) && (c == NONE || rank[vi] < rank[c]) -> c = vi
                  :: else
                  fi;
                  vi++
               :: else -> break
               od;
               if
               :: c == NONE ->
                  vi = 0;
                  do
                  :: vi < C ->
                     if
                     :: state[vi] == FULL && (c == NONE || rank[vi] < rank[c]) -> c = vi
                     :: else
                     fi;
                     vi++
                  :: else -> break
                  od
               :: else
               fi
             }
#ifdef ANY_CHOICE
             if
             :: state[0] == FREE || state[0] == FULL -> c = 0
             :: state[1] == FREE || state[1] == FULL -> c = 1
#if C > 2
             :: state[2] == FREE || state[2] == FULL -> c = 2
#endif
             :: else
             fi;
#endif
             if
             :: c != NONE -> g = gen[c]; q++
#ifdef SPIN_IF_NONE
             :: else -> q++; assert(q < TRIES)
#else
             :: else -> q = TRIES
#endif
             fi
           }
           if
           :: c == NONE
           :: c != NONE ->
#ifdef CLAIM_LATE
              if
              :: (state[c] == FREE || state[c] == FULL) && gen[c] == g -> atomic { first[c] = ord; data[c * K] = RECORD(s, ord) }
              :: true
              fi;
#endif
              atomic {                                  /* CAS on the whole word */
                if
                :: gen[c] == g && (state[c] == FREE || state[c] == FULL) ->
                   d_step {
                     if
                     :: state[c] == FULL && !DRAINED(c) ->      /* a steal: what was unread is lawfully lost */
                        vi = 0;
                        do
                        :: vi < committed[c] ->
                           if
                           :: !(stored[slot[c]] & BIT(first[c] + vi)) ->
                              lawful[slot[c]] = lawful[slot[c]] | BIT(first[c] + vi)
                           :: else
                           fi;
                           vi++
                        :: else -> break
                        od
                     :: else
                     fi;
                     state[c] = CLAIM; gen[c] = g + 1; TAKEN(c); q = TRIES + 1; g = 0
                   }
                :: else -> c = NONE; g = 0
                fi
              }
           fi
        :: else -> break
        od;
        if
        :: q > TRIES ->
           q = 0;
           MERGED {
             slot[c] = s; first[c] = ord; committed[c] = 0;
             d_step {                                   /* seq = next_seq.fetch_add(1): becomes the last in order */
               vi = 0;
               do
               :: vi < C -> if :: rank[vi] > rank[c] -> rank[vi]-- :: else fi; vi++
               :: else -> break
               od;
               rank[c] = C - 1
             }
           }
           state[c] = OWNED
        :: else ->                                      /* nothing to take: an ordinal, and a drop by arithmetic */
           d_step { q = 0; lawful[s] = lawful[s] | BIT(ord); ord++; sealed[s] = ord; told[s]++ }
        fi
     :: else ->
#ifdef PUBLISH_FIRST
        atomic { committed[c] = n + 1; told[s]++ }
        atomic { data[c * K + n] = RECORD(s, ord); n++; ord++ }
#else
        MERGED { data[c * K + n] = RECORD(s, ord); atomic { committed[c] = n + 1; told[s]++; n++; ord++ } }
#endif
     fi
  :: else -> break
  od;
  if
  :: c != NONE -> sealed[s] = ord; atomic { state[c] = FULL; c = NONE; n = 0; ord = 0 }
  :: else
  fi;
  ended++
}

proctype engine() {
  byte s, i, L, b = NONE, f, g, n, x, w, wg, wslot, wfirst; bool whole, last, died; byte copy[K];
round:
  atomic {
    d_step { settled() }
#ifdef CURSOR_EARLY
    if
    :: d_step { vi = 0; do :: vi < W -> known[vi] = early[vi]; early[vi] = cursor[vi]; vi++ :: else -> break od; vi = 0 }
    :: true
    fi;
#endif
    if
    :: s = 0
#if W > 1
    :: s = 1
#endif
    fi;
    L = sealed[s];                                      /* before the scan */
    last = (ended == W && cursor[s] == L)
  }
  do
  :: i < C ->
     MERGED {
       atomic { w = state[i]; wg = gen[i] }
       wslot = slot[i]; wfirst = first[i];
       atomic {
         n = wfirst + committed[i];
         if
         :: (w == FULL || w == OWNED) && wslot == s && n > known[s] && (b == NONE || wfirst < f) -> b = i; f = wfirst; g = wg; n = 0
#ifndef RELEASE_ABOVE
         :: w == FULL && wslot == s && n <= known[s] -> n = 0; RELEASE(i, wg)
#endif
         :: else -> n = 0
         fi;
         w = 0; wg = 0; wslot = 0; wfirst = 0; i++
       }
     }
  :: else -> break
  od;
  if
  :: b == NONE -> d_step { drop(s, L) }
#ifndef GAP_BY_SCAN
  :: b != NONE && f > known[s] && f > L -> d_step { drop(s, L) }    /* a hole above L: look again */
#endif
  :: else ->
#ifdef FULL_AFTER_COUNT
     n = committed[b]; whole = (state[b] == FULL && gen[b] == g);
#else
     whole = (state[b] == FULL && gen[b] == g); n = committed[b];
#endif
     MERGED { do :: x < K -> copy[x] = data[b * K + x]; x++ :: else -> break od; x = 0 }
     d_step { if :: n > K -> n = K :: else fi }
     if
#ifndef NO_RECHECK
     :: gen[b] != g || (state[b] != FULL && state[b] != OWNED)      /* another generation: the copy is worth nothing */
#endif
     :: else ->
#ifdef RELEASE_EARLY
        if
        :: whole -> RELEASE(b, g); if :: died = true :: true fi
        :: else
        fi;
#endif
        if
        :: died
        :: else ->
           d_step {                                     /* the transaction */
             drop(s, f);
             x = known[s] - f;
             do
             :: x < n ->
                assert(copy[x] == RECORD(s, f + x));     /* no torn, no foreign record */
                assert(!(stored[s] & BIT(f + x)));       /* never twice */
                stored[s] = stored[s] | BIT(f + x); x++
             :: else -> break
             od;
             if :: f + n > known[s] -> known[s] = f + n :: else fi;
             cursor[s] = known[s]; x = 0
           }
           if
           :: whole && known[s] >= f + n -> RELEASE(b, g)
           :: true                                      /* killed before the release */
           fi
        fi
     fi
  fi;
  d_step {
    if
    :: last -> quiet = quiet | BIT(s)
    :: else
    fi;
    if
    :: quiet == BIT(W) - 1 ->                           /* nothing is left to do: every full chunk must be free to take */
       vi = 0; do :: vi < C -> assert(state[vi] == FREE || (state[vi] == FULL && DRAINED(vi))); vi++ :: else -> break od
    :: else
    fi;
    s = 0; i = 0; L = 0; b = NONE; f = 0; g = 0; n = 0; whole = false; last = false; died = false;
    x = 0; do :: x < K -> copy[x] = 0; x++ :: else -> break od; x = 0
  }
  goto round
}

init {
  d_step { vi = 0; do :: vi < C -> rank[vi] = vi; vi++ :: else -> break od; vi = 0 }
  atomic {
    run thread(0);
#if W > 1
    run thread(1);
#endif
    run engine()
  }
}
