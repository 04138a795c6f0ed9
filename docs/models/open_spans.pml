/* Open spans live in slots of the ring from start to end, so that a killed process leaves them readable.
 *
 * W threads start, annotate and end spans. A slot belongs to the thread that carved it (slot i to thread i % W), which
 * alone takes it and has its free ones at hand on a stack; anyone may annotate and end a span, at the same time, and
 * also with a handle to one that has ended. Its words, each changed in one store or one atomic operation:
 *   word       state, and who is inside: 0 nobody, 1 one, 2 one whose span ended meanwhile; who is inside then frees
 *   ending_at  thread and ordinal of the record-to-be (by, at); read only where the state says ENDING
 *   extent     how much of the contents counts; `writing` stands for what is beyond it just now
 * and alive[], in the handle: of two that end a span one goes on. A thread ends a span of its own slot by one CAS
 * OPEN -> ENDING, inside 0 -> 1; everybody else takes the lock first, and if another one stays inside, ends the span
 * without it. `record` is what a thread's chunks and seal say: one entry per ordinal below `accepted` (pool.pml shows
 * that recovery computes that number; an ordinal without a chunk is an entry too, a counted drop).
 *
 * Properties. A kill may come between any two steps: in every state each span whose start() has returned is found by a
 * recovery exactly once, as a record or as unfinished. OPEN is unfinished; ENDING only if its ordinal was not published.
 * A kill comes at an instruction and everything before it has happened, so the order here is program order; the stores
 * must only not be reordered by the compiler. And: nobody writes into a slot whose span is not the one it means, or
 * while its contents are copied as final; a slot is never at hand twice. READER: a view of the living ring (records
 * first, then slots) shows no span twice. FORK: a child that holds copies of all handles ends them too.
 *
 * Flawed variants, each of which must fail:
 *   FREE_FIRST     the slot is freed before the record is published                                     lost
 *   NO_ENDING      the slot stays OPEN until the record is published                                    twice
 *   ENDING_IS_UNFINISHED  recovery stores every ENDING slot as unfinished                               twice
 *   ENDING_IS_DONE recovery takes every ENDING slot for published                                       lost
 *   ORDINAL_LATE   the ordinal is written after the state: an old one may stand there                   lost
 *   OPEN_FIRST     the slot is OPEN before it is filled: the old content may stand there                twice
 *   ALIVE_LOAD     end() looks at alive[] and then clears it: the second one finds no open slot and stores a record
 *                  of what it knows                                                                     twice
 *   NO_CAS         the owner looks at the word and then stores ENDING                          torn while annotated
 *   NO_IDENTITY    who got the lock does not look whose slot it is now: an old handle annotates another span
 *   FREE_HELD      a span that ends while another one is inside frees its slot at once         written to when free
 *   PUSH_FOREIGN   who frees another thread's slot keeps it at hand: its owner finds it too    two spans in one slot
 *   VIEW_ENDING    (READER) the view shows every ENDING slot besides the records                        twice
 *   FORK_SHARES    (FORK) the child's pages are its parent's, and nobody asks whose span it is          twice */
#ifndef W
#define W 2
#endif
#ifndef N
#define N 2                                             /* slots */
#endif
#ifndef S
#define S 3                                             /* spans in all */
#endif
#define FREE 0
#define OPEN 1
#define ENDING 2
#define NONE 15
#define BIT(o) (1 << (o))
#define OWNER(i) ((i) % W)

byte state[N], inside[N];                               /* the slot's word */
byte by[N], at[N];                                      /* ending_at */
byte content[N];                                        /* which span it holds, 1.. */
byte stack[W];                                          /* set of free slots at hand */
byte home[S + 1];                                       /* a span's handle: its slot */
byte record[W * (S + 1)], accepted[W];                  /* per thread: the span of each published ordinal */
bit alive[S + 1], writing[N];
byte next_span = 1, started;                            /* ghosts: the next span; set of spans whose start() is done */

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
        :: vi < accepted[vt] -> if :: record[vt * (S + 1) + vi] == vs -> vn++ :: else fi; vi++
        :: else -> break
        od;
        vt++
     :: else -> break
     od;
     assert(vn == ((started >> vs) & 1));
     vs++
  :: else -> break
  od;
  vi = 0; vs = 0; vt = 0; vn = 0
}

inline publish(span) { record[t * (S + 1) + accepted[t]] = span; accepted[t]++ }

/* give_span_slot(): free, and at hand if it is the thread's own */
inline give() {
  atomic {
    state[i] = FREE; inside[i] = 0;
    if
#ifdef PUSH_FOREIGN
    :: true -> assert(!(stack[t] & BIT(i))); stack[t] = stack[t] | BIT(i)
#else
    :: OWNER(i) == t -> assert(!(stack[t] & BIT(i))); stack[t] = stack[t] | BIT(i)
    :: else
#endif
    fi
  }
}

/* unlock_span_slot(): whose span ended meanwhile frees the slot; its owner will find it */
inline unlock() {
  if
  :: atomic { inside[i] >= 2 -> inside[i]-- }; atomic { state[i] = FREE; inside[i] = 0 }
  :: atomic { inside[i] == 1 -> inside[i] = 0 }
  fi
}

inline start() {
  atomic {                                              /* own slots that others freed, when there is none at hand */
    next_span <= S;
    if
    :: stack[t] == 0 ->
       i = t;
       do
       :: i < N -> if :: state[i] == FREE && inside[i] == 0 -> stack[t] = stack[t] | BIT(i) :: else fi; i = i + W
       :: else -> break
       od
    :: else
    fi;
    if
    :: stack[t] & 1 -> i = 0
#if N > 1
    :: stack[t] & 2 -> i = 1
#endif
#if N > 2
    :: stack[t] & 4 -> i = 2
#endif
    :: stack[t] == 0 -> i = NONE                        /* such a span lives in its handle: a kill loses it, as is said */
    fi;
    if
    :: i != NONE -> stack[t] = stack[t] & (255 - BIT(i)); id = next_span; next_span++
    :: else
    fi
  }
  if
  :: i == NONE
  :: i != NONE ->
#ifdef OPEN_FIRST
     atomic { assert(state[i] == FREE && inside[i] == 0); state[i] = OPEN }
     atomic { assert(!writing[i]); content[i] = id; home[id] = i; alive[id] = 1; started = started | BIT(id) }
#else
     atomic { assert(!writing[i]); content[i] = id }
     atomic {
       assert(state[i] == FREE && inside[i] == 0);
       state[i] = OPEN; home[id] = i; alive[id] = 1; started = started | BIT(id)
     }
#endif
  fi
}

/* the handle said that the span is recording; since then anything may have happened */
inline annotate() {
  i = home[id];
  if
  :: atomic { state[i] == OPEN && inside[i] == 0 -> inside[i] = 1 };
     if
#ifdef NO_IDENTITY
     :: true ->
#else
     :: content[i] == id ->
#endif
        atomic { assert(content[i] == id && !writing[i]); writing[i] = 1 }
        atomic { assert(content[i] == id && state[i] != FREE); writing[i] = 0 }
#ifndef NO_IDENTITY
     :: else
#endif
     fi;
     unlock()
  :: else                                               /* ended, or another one is inside: dropped, counted */
  fi
}

/* finish_usual(): the slot is the thread's own and its chunk has room */
inline end_usual() {
#ifdef ORDINAL_LATE
#define NAME_ORDINAL
#else
#define NAME_ORDINAL by[i] = t; at[i] = accepted[t];
#endif
  atomic { NAME_ORDINAL u = 0 }
#ifdef NO_CAS
  if
  :: state[i] == OPEN && inside[i] == 0 -> u = 1
  :: else
  fi;
  if
  :: u -> atomic { state[i] = ENDING; inside[i] = 1 }
  :: else
  fi;
#else
  atomic {
    if
    :: state[i] == OPEN && inside[i] == 0 ->
       u = 1; inside[i] = 1;
#ifndef NO_ENDING
       state[i] = ENDING
#endif
    :: else
    fi
  }
#endif
#ifdef ORDINAL_LATE
  if :: u -> atomic { by[i] = t; at[i] = accepted[t] } :: else fi;
#endif
  if
  :: u ->
#ifdef FREE_FIRST
     give();
#endif
     atomic { assert(content[i] == id && !writing[i]); publish(id) }
#ifndef FREE_FIRST
     give()
#endif
  :: else
  fi
}

/* publish_from_held_slot(): what counts is taken; who is inside goes on, and frees the slot when it lets go */
inline end_held() {
  atomic { by[i] = t; at[i] = accepted[t] }
  atomic { assert(state[i] == OPEN && content[i] == id); state[i] = ENDING }
  publish(id);
#ifdef FREE_HELD
  give()
#else
  if
  :: atomic { inside[i] == 0 -> inside[i] = 1 }; give()
  :: atomic { inside[i] > 0 -> inside[i]++ }
  fi
#endif
}

/* finish_slow(): any thread, any slot */
inline end_slow() {
  if
  :: atomic { state[i] == OPEN && inside[i] == 0 -> inside[i] = 1 };
     if
     :: content[i] == id ->
        atomic { NAME_ORDINAL u = 0 }
#ifndef NO_ENDING
        state[i] = ENDING;
#endif
#ifdef ORDINAL_LATE
        atomic { by[i] = t; at[i] = accepted[t] }
#endif
#ifdef FREE_FIRST
        give();
#endif
        atomic { assert(!writing[i]); publish(id) }
#ifndef FREE_FIRST
        give()
#endif
     :: else -> unlock(); publish(id)
     fi
  :: state[i] == OPEN && inside[i] > 0 -> end_held()
  :: state[i] != OPEN -> publish(id)                    /* a record of what the handle knows */
  fi
}

inline end() {
#ifdef ALIVE_LOAD
  if :: alive[id] -> u = 1 :: else -> u = 0 fi;
  alive[id] = 0;
#else
  atomic { u = alive[id]; alive[id] = 0 }
#endif
  if
  :: u ->
     i = home[id]; u = 0;
     if
     :: OWNER(i) == t -> end_usual()
     :: true                                            /* its chunk is full, or the slot is another thread's */
     fi;
     if
     :: u == 0 -> end_slow()
     :: else
     fi
  :: else
  fi
}

inline pick() {
  if
  :: alive[1] -> id = 1
#if S > 1
  :: alive[2] -> id = 2
#endif
#if S > 2
  :: alive[3] -> id = 3
#endif
#if S > 3
  :: alive[4] -> id = 4
#endif
#if S > 4
  :: alive[5] -> id = 5
#endif
  fi
}

proctype thread(byte t) {
  byte i, u, id;
  do
  :: start(); atomic { i = 0; u = 0; id = 0 }
  :: atomic { pick() }; annotate(); atomic { i = 0; u = 0; id = 0 }
  :: atomic { pick() }; end(); atomic { i = 0; u = 0; id = 0 }
  od
}

#ifdef READER
/* read_ring_content(): one thread's records after the other, then one slot after the other, state before content */
proctype reader() {
  byte i, seen, s, c;
  do
  :: i < W ->
     d_step {
       s = 0;
       do
       :: s < accepted[i] -> seen = seen | BIT(record[i * (S + 1) + s]); s++
       :: else -> break
       od;
       s = 0; i++
     }
  :: else -> break
  od;
  i = 0;
  do
  :: i < N ->
     s = state[i];
     atomic {
       c = content[i];
       if
#ifdef VIEW_ENDING
       :: s == OPEN || s == ENDING ->
#else
       :: s == OPEN || (s == ENDING && !(seen & BIT(c))) ->
#endif
          assert(!(seen & BIT(c)));
          seen = seen | BIT(c)
       :: else
       fi;
       s = 0; c = 0; i++
     }
  :: else -> break
  od
}
#endif

#ifdef FORK
/* A copy of the handles at any moment. Its fork handler puts zero pages in the ring's place and draws other keys: a
 * handle of its parent's is known by them, and ends without a record. */
proctype child() {
  byte id, i, n;
  atomic { pick(); i = home[id]; n = accepted[0] }
#ifdef FORK_SHARES
  if
  :: atomic { state[i] == OPEN && inside[i] == 0 -> by[i] = 0; at[i] = n; state[i] = ENDING; inside[i] = 1 };
     atomic { record[n] = id; accepted[0] = n + 1 }
     atomic { state[i] = FREE; inside[i] = 0 }
  :: else
  fi
#endif
}
#endif

proctype killer() { do :: d_step { settled() } od }

init {
  atomic {
    vi = 0;
    do :: vi < N -> stack[OWNER(vi)] = stack[OWNER(vi)] | BIT(vi); vi++ :: else -> break od;
    vi = 0;
    run thread(0);
#if W > 1
    run thread(1);
#endif
#if W > 2
    run thread(2);
#endif
#ifdef READER
    run reader();
#endif
#ifdef FORK
    run child();
#endif
    run killer()
  }
}
