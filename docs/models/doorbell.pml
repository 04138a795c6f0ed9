/* The doorbell. Each writer has a store buffer of one entry (x86-TSO): its publication may reach memory late.
 *
 * Writer: publish (plain store); if the bell is set: exchange it with 0 (which also drains the buffer), and if it was
 * set: wake. Engine: drain; nothing found: bell = 1, order, look again; still nothing: FUTEX_WAIT while the bell is 1.
 *
 * Property: nobody sleeps for good while a published record waits. (The wait's timeout is left out: it is the
 * backstop.) Property (-DENGINE_KILL): after the engine's death, writers make at most W + 1 wake calls between them.
 * Why W + 1: the bell is set by the engine only, and an exchange clears it, so at most one exchange finds it set
 * after the death. But before the death each of the W writers may have found it set (the engine set it again after
 * each) and stand before its call. ASSERT_W shows that the bound is tight: W is exceeded.
 *
 *   MEMBARRIER   the engine orders by membarrier, which drains every live writer's buffer        holds
 *   FENCE        each writer has a fence per record                                               holds
 *   (neither)    the engine fences, the writers do not                                            lost wake-up
 *   with MEMBARRIER:
 *   WRITER_KILL  a writer may die between exchange and wake: asleep until the timeout             lost wake-up, accepted
 *   NO_CLEAR     the writer only wakes and the engine clears the bell                             a call per record after its death */
#ifndef W
#define W 2
#endif
#ifndef N
#define N 2
#endif
#ifdef ASSERT_W
#define MAX_CALLS W
#else
#define MAX_CALLS (W + 1)
#endif
byte mem[W], buf[W], got[W], sent[W]; bool pend[W];
bool bell, waiting, engine_dead, writer_dead[W], stop; byte calls;

proctype flush(byte w) {                                /* the store buffer of writer w */
  do
  :: atomic { pend[w] -> mem[w] = buf[w]; pend[w] = false }
  :: stop -> break
  od
}

inline wake() {
  atomic {
    waiting = false;
    if :: engine_dead -> calls++; assert(calls <= MAX_CALLS) :: else fi
  }
}

proctype writer(byte w) provided (!writer_dead[w]) {
  byte i; bool s;
  do
  :: i < N ->
     atomic { !pend[w] -> i++; buf[w] = i; pend[w] = true; sent[w] = i }
#ifdef FENCE
     !pend[w];
#endif
     s = bell;
     if
     :: s ->
#ifndef NO_CLEAR
        atomic { !pend[w] -> s = bell; bell = false }   /* a locked instruction: the buffer is drained first */
#endif
        if :: s -> wake() :: else fi
     :: else
     fi
  :: else -> break
  od
}

inline look() {
  d_step {
    any = false; i = 0;
    do
    :: i < W -> if :: mem[i] != got[i] -> any = true :: else fi; i++
    :: else -> break
    od;
    i = 0
  }
}

proctype engine() provided (!engine_dead) {
  byte i; bool any;
  do
  :: look();
     if
     :: any -> d_step { do :: i < W -> got[i] = mem[i]; i++ :: else -> break od; i = 0; any = false }
     :: else ->
        bell = true;                                    /* with a full fence on the engine's side */
#ifdef MEMBARRIER
        do :: i < W -> !pend[i] || writer_dead[i]; i++ :: else -> i = 0; break od;
#endif
        look();
        if
        :: any -> bell = false
        :: else ->
           atomic { if :: bell -> waiting = true :: else fi }            /* FUTEX_WAIT compares in the kernel */
           !waiting;
           bell = false
        fi
     fi
  od
}

proctype killer() {
#ifdef WRITER_KILL
  if :: writer_dead[0] = true :: true fi;
#endif
#ifdef ENGINE_KILL
  if :: engine_dead = true :: true fi;
#endif
  skip
}

proctype last() {
  byte i;
  timeout ->
  do
  :: i < W -> assert(engine_dead || got[i] == sent[i]); i++
  :: else -> break
  od;
  stop = true
}

init {
  byte i;
  atomic {
    do :: i < W -> run flush(i); run writer(i); i++ :: else -> break od;
    run engine(); run killer(); run last()
  }
}
