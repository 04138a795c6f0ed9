/* Metric cells only grow; the engine stores value - base. The bases lie in two files of the engine's own, and the
 * database says which one is valid: read the cells, write all bases to the other file, then commit (rows, which file)
 * in one transaction.
 *
 * One series with a cell in each of two threads' slabs. A slab outlives its thread and is adopted as it is. Ticks may
 * be skipped, a commit may fail, the wall clock may step back, the engine may be killed between any two steps (it
 * keeps nothing in memory that it does not read again, so a kill is a tick that is left early).
 *
 * Property: between two ticks, stored sum = sum of the valid bases, for each cell; no negative difference. So
 * stored + (value - valid base) = value: nothing is lost or repeated.
 *
 * Flawed variants, each of which must fail:
 *   BY_TICK       the file is tick number mod 2: a skipped tick or a failed commit overwrites the valid one
 *   IN_PLACE      one file only
 *   COMMIT_FIRST  the commit, then the bases
 *   READ_AGAIN    the bases are read from the cells a second time
 *   FOLD          a thread that ends adds its cell to the other and clears it
 *   ROW_BY_TICK   the row's key is the tick: a second commit in the same tick replaces the first */
#ifndef MAXV
#define MAXV 4
#endif
#ifndef TICKS
#define TICKS 4
#endif
byte cell[2]; bool ended;
byte base0[2], base1[2];                                /* bases.0 and bases.1, a base per cell */
byte sum[2], valid;                                     /* the database: stored per cell, and the valid file */
byte now = 1, last_tick, row[2];

#define BASE(f, i) (f == 0 -> base0[i] : base1[i])
#define VALUE (cell[0] + cell[1])

proctype threads() {
  do
  :: VALUE < MAXV && !ended -> if :: cell[0]++ :: cell[1]++ fi
  :: VALUE < MAXV && ended -> cell[0]++
#ifdef FOLD
  :: !ended && cell[1] -> cell[0] = cell[0] + cell[1]; cell[1] = 0; ended = true
#else
  :: !ended && cell[1] -> ended = true                  /* the slab waits for the next thread, unchanged */
#endif
  :: ended -> ended = false                             /* adopted */
  :: VALUE >= MAXV -> break
  od
}

proctype clock() { do :: now < TICKS -> now++ :: now == TICKS -> now = TICKS - 1 :: break od }

#define KILL if :: goto out :: true fi

inline write_base(i, x) { if :: f == 0 -> base0[i] = x :: else -> base1[i] = x fi }

proctype engine() {
  byte v[2], f, t;
tick:
  atomic {
    assert(sum[0] == BASE(valid, 0) && sum[1] == BASE(valid, 1));
    t = now;
#ifdef BY_TICK
    if :: t == last_tick -> goto out :: else fi;
    f = t & 1;
#elif defined(IN_PLACE)
    f = valid;
#else
    f = 1 - valid;
#endif
    v[0] = cell[0]
  }
  v[1] = cell[1];                                       /* cell by cell, not all at once */
#ifndef COMMIT_FIRST
#ifdef READ_AGAIN
  atomic { write_base(0, cell[0]); write_base(1, cell[1]) }
#else
  write_base(0, v[0]); KILL; write_base(1, v[1]); KILL;
#endif
#endif
  d_step {                                              /* the transaction; leaving before it is also a commit that failed */
    assert(v[0] >= sum[0] && v[1] >= sum[1]);
#ifdef ROW_BY_TICK
    if
    :: t == last_tick -> sum[0] = sum[0] - row[0]; sum[1] = sum[1] - row[1]
    :: else
    fi;
    row[0] = v[0] - BASE(valid, 0); row[1] = v[1] - BASE(valid, 1);
    sum[0] = sum[0] + row[0]; sum[1] = sum[1] + row[1];
#else
    sum[0] = sum[0] + v[0] - BASE(valid, 0); sum[1] = sum[1] + v[1] - BASE(valid, 1);
#endif
    valid = f; last_tick = t
  }
#ifdef COMMIT_FIRST
  KILL;
  write_base(0, v[0]); KILL; write_base(1, v[1]);
#endif
out:
  atomic { v[0] = 0; v[1] = 0; f = 0; t = 0 }
  goto tick
}

init { atomic { run threads(); run clock(); run engine() } }
