/* Record classes: spans and logs are counted apart, although a stolen chunk's content is gone.
 *
 * One thread records R records, each a span or a log as it likes, into C chunks of K records and steals its own oldest
 * chunk when the engine is slow. A chunk's header and the thread's seal hold one cumulative ordinal per class.
 * The seal has two places, chosen by the parity of seal_seq, so that a kill in the middle of a seal leaves the old one;
 * the engine reads it while the thread may be sealing again.
 *
 * Property: whenever the engine is between two rounds, it has counted as dropped, per class, exactly the records that
 * were lawfully lost below its cursor, and has stored exactly the others; recovery computes the accepted records per
 * class.
 *
 * Flawed variants, each of which must fail:
 *   ONE_ORDINAL  one ordinal for both classes: what a gap held is guessed from the record that follows it
 *   TORN_SEAL    the engine does not look at seal_seq again after it has read the seal
 *   ONE_SEAL     the seal has one place only: a kill in the middle of a seal leaves half of it
 * (Cutting a torn seal at min(first, seal) per class was tried and is not enough.) */
#ifndef C
#define C 2
#endif
#ifndef K
#define K 2
#endif
#ifndef R
#define R 5
#endif
#define NONE 15
#define SPAN 0
#define LOG 1
#define OWNED 1
#define FULL 2
#define CLAIM 3

byte state[C], gen[C], rank[C], committed[C], header_seal[C];
byte first_span[C], first_log[C];
byte data[C * K];                                       /* the class of each record */
byte seal_seq, seal_span[2], seal_log[2];
byte seen_span, seen_log, dropped_span, dropped_log;    /* the database row of this slot */
byte told_span, told_log, kinds, stored, lawful;        /* ghosts: counts told; sets of ordinals: logs, stored, lost */

#ifdef ONE_SEAL
#define PLACE(q) 0
#else
#define PLACE(q) ((q) & 1)
#endif
#define BIT(o) (1 << (o))
#define CURSOR (seen_span + seen_log)
#define FIRST(i) (first_span[i] + first_log[i])
#define READABLE(i) (state[i] == FULL || state[i] == OWNED)

hidden byte vi, vo, vx, vspan, vlog, vfound;            /* scratch of checks, no part of the state */

inline settled() {
  vspan = seal_span[PLACE(seal_seq)]; vlog = seal_log[PLACE(seal_seq)]; vi = 0;
  do
  :: vi < C ->
     if
     :: state[vi] == OWNED && header_seal[vi] == seal_seq ->
        vx = 0;
        do
        :: vx < committed[vi] -> if :: data[vi * K + vx] == LOG -> vlog++ :: else -> vspan++ fi; vx++
        :: else -> break
        od
     :: else
     fi;
     vi++
  :: else -> break
  od;
  assert(vspan == told_span && vlog == told_log);       /* accepted per class, from the file alone */
  vo = 0; vspan = 0; vlog = 0;
  do
  :: vo < told_span + told_log ->
     vfound = false; vi = 0;
     do
     :: vi < C -> if :: READABLE(vi) && FIRST(vi) <= vo && vo < FIRST(vi) + committed[vi] -> vfound = true :: else fi; vi++
     :: else -> break
     od;
     if
     :: vo >= CURSOR -> assert(!(stored & BIT(vo)) && (vfound || lawful & BIT(vo)))
     :: vo < CURSOR && stored & BIT(vo)
     :: vo < CURSOR && !(stored & BIT(vo)) -> assert(lawful & BIT(vo)); if :: kinds & BIT(vo) -> vlog++ :: else -> vspan++ fi
     fi;
     vo++
  :: else -> break
  od;
  assert(dropped_span == vspan && dropped_log == vlog); /* the ledger's drops, per class */
  vi = 0
}

proctype thread() {
  byte n, c = NONE, b;
  do
  :: told_span + told_log < R ->
     if
     :: c == NONE || n == K ->
        seal_span[PLACE(seal_seq + 1)] = told_span; seal_log[PLACE(seal_seq + 1)] = told_log;
        seal_seq++;
        if
        :: c != NONE -> state[c] = FULL
        :: else -> skip
        fi;
        n = 0;
        d_step {                                        /* nobody competes: choose and claim in one step */
          c = NONE; vi = 0;
          do
          :: vi < C -> if :: c == NONE || rank[vi] < rank[c] -> c = vi :: else fi; vi++
          :: else -> break
          od;
          if
          :: state[c] == FULL ->
             vx = 0;
             do
             :: vx < committed[c] -> if :: FIRST(c) + vx >= CURSOR -> lawful = lawful | BIT(FIRST(c) + vx) :: else fi; vx++
             :: else -> break
             od
          :: else
          fi;
          vi = 0;
          do
          :: vi < C -> if :: rank[vi] > rank[c] -> rank[vi]-- :: else fi; vi++
          :: else -> break
          od;
          rank[c] = C - 1; state[c] = CLAIM; gen[c]++
        }
        d_step { first_span[c] = told_span; first_log[c] = told_log; header_seal[c] = seal_seq; committed[c] = 0 }
        state[c] = OWNED
     :: else ->
        if
        :: d_step { data[c * K + n] = SPAN; n++; committed[c] = n; told_span++ }
        :: d_step { kinds = kinds | BIT(told_span + told_log); data[c * K + n] = LOG; n++; committed[c] = n; told_log++ }
        fi
     fi
  :: else -> break
  od
}

/* counts everything below (to_span, to_log) that the cursor has not passed */
inline drop(to_span, to_log) {
#ifdef ONE_ORDINAL
  vx = (to_span) + (to_log) - CURSOR;
  if
  :: b != NONE && copy[0] == LOG -> dropped_log = dropped_log + vx; seen_log = seen_log + vx
  :: else -> dropped_span = dropped_span + vx; seen_span = seen_span + vx
  fi;
#else
  assert(to_span >= seen_span && to_log >= seen_log);
  dropped_span = dropped_span + (to_span) - seen_span; dropped_log = dropped_log + (to_log) - seen_log;
  seen_span = to_span; seen_log = to_log;
#endif
  vi = 0
}

proctype engine() {
  byte i, q, ls, ll, b = NONE, f, g, n, x; byte copy[K];
round:
  atomic { q = seal_seq; d_step { settled() } }
  ls = seal_span[PLACE(q)]; ll = seal_log[PLACE(q)];
#ifndef TORN_SEAL
  if
  :: seal_seq != q -> goto out
  :: else
  fi;
#endif
  i = 0;
  do
  :: i < C ->
     d_step {
       if
       :: READABLE(i) && FIRST(i) + committed[i] > CURSOR && (b == NONE || FIRST(i) < f) -> b = i; f = FIRST(i); g = gen[i]
       :: else
       fi;
       i++
     }
  :: else -> break
  od;
  if
  :: b == NONE ->
     if
     :: ls + ll > CURSOR ->
        d_step { drop(ls, ll) }
     :: else
     fi
  :: b != NONE && f > CURSOR && f > ls + ll ->          /* a hole above the seal: drop what is below it, look again */
     if
     :: ls + ll > CURSOR ->
        d_step { drop(ls, ll) }
     :: else
     fi
  :: else ->
     n = committed[b];
     d_step { ls = first_span[b]; ll = first_log[b]; x = 0; do :: x < K -> copy[x] = data[b * K + x]; x++ :: else -> break od; x = 0 }
     if
     :: gen[b] != g || !READABLE(b)
     :: else ->
        d_step {                                        /* the transaction */
          if :: f > CURSOR -> drop(ls, ll) :: else fi;
          x = CURSOR - f;
          do
          :: x < n ->
             assert(!(stored & BIT(f + x))); stored = stored | BIT(f + x);
             if :: copy[x] == LOG -> seen_log++ :: else -> seen_span++ fi;
             x++
          :: else -> break
          od;
          x = 0
        }
     fi
  fi;
out:
  skip;
  d_step { i = 0; q = 0; ls = 0; ll = 0; b = NONE; f = 0; g = 0; n = 0; x = 0; do :: x < K -> copy[x] = 0; x++ :: else -> break od; x = 0 }
  goto round
}

init {
  d_step { vi = 0; do :: vi < C -> rank[vi] = vi; vi++ :: else -> break od; vi = 0 }
  atomic { run thread(); run engine() }
}
