/* A ring's file from creation to unlink. N processes create a ring, record up to R records, start and end spans and
 * die at any step; the kernel then drops the lock. An engine, killed between any two steps, drains what it finds and
 * removes dead rings. The directory may be out of sight for a while (a session's directory, another user's mount).
 *
 * A ring is created under a hidden name, locked, renamed; the rename is checked, because an engine removes hidden files
 * that nobody has locked. The engine looks at the lock first, then at what was accepted, drains to there; if the lock
 * was free: the open spans take the ordinals after the last one, then unlink, then delete the cursor row.
 *
 * Property: nobody records into a file without a name; every record and every open span of a ring that is gone has been
 * stored, none twice, and no record as an open span.
 *
 * Flawed variants, each of which must fail:
 *   VISIBLE_FIRST    the ring is visible before it is locked                                     taken for dead
 *   RENAME_UNCHECKED the creator goes on if its hidden file was removed                          lost
 *   LOCK_AFTER       the engine looks at the lock after it has read what was accepted            lost
 *   ROW_FIRST        the cursor row is deleted before the unlink                                 twice
 *   DELETE_UNKNOWN   cursor rows of rings that are not in sight are deleted                      twice
 *   OPEN_UNCOUNTED   open spans are stored without moving the cursor                             twice
 *   SAME_NAME        a later ring takes the name of an earlier one (a pid, say)                  lost */
#ifndef N
#define N 2
#endif
#ifndef R
#define R 2
#endif
#define NOTHING 0
#define HIDDEN 1
#define RING 2
#define BIT(o) (1 << (o))
#ifdef SAME_NAME
#define NAME(p) 0
#else
#define NAME(p) (p)
#endif

byte file[N]; bool locked[N];                           /* by name */
byte told[N], open[N];                                  /* what the file holds */
byte cursor[N]; bool row[N];                            /* the database */
byte stored[N];                                         /* ghost: set of ordinals stored of the present file of that name */
bool in_sight = true;
hidden byte vo;

proctype process(byte p) {
  byte n;
  atomic { file[NAME(p)] == NOTHING -> told[NAME(p)] = 0; open[NAME(p)] = 0; stored[NAME(p)] = 0;
#ifdef VISIBLE_FIRST
    file[NAME(p)] = RING
#else
    file[NAME(p)] = HIDDEN
#endif
  }
  if :: goto dead :: true fi;
  if
  :: file[NAME(p)] != NOTHING -> locked[NAME(p)] = true
  :: else -> skip                                       /* its descriptor still works, its name is gone */
  fi;
  if :: goto dead :: true fi;
#ifndef VISIBLE_FIRST
  atomic {
    if
    :: file[NAME(p)] == HIDDEN -> file[NAME(p)] = RING
#ifdef RENAME_UNCHECKED
    :: else -> skip
#else
    :: else -> goto dead                                /* rename says ENOENT: try again under another name */
#endif
    fi
  }
#endif
  do
  :: n < R -> atomic { assert(file[NAME(p)] == RING); n++; open[NAME(p)]++ }       /* a span starts */
  :: open[NAME(p)] -> d_step { assert(file[NAME(p)] == RING); told[NAME(p)]++; open[NAME(p)]-- }    /* and ends */
  :: n < R -> atomic { assert(file[NAME(p)] == RING); n++; told[NAME(p)]++ }       /* another record */
  :: break
  od;
dead:
  locked[NAME(p)] = false
}

inline store(r, o) { assert(!(stored[r] & BIT(o))); stored[r] = stored[r] | BIT(o) }

#define KILL if :: goto out :: true fi

proctype engine() {
  byte r, a; bool dead;
round:
  atomic {
    in_sight ->
    if
    :: r = 0
#if N > 1
    :: r = 1
#endif
#if N > 2
    :: r = 2
#endif
    fi
  }
  if
  :: file[r] == HIDDEN && !locked[r] ->                 /* a creator that died, or has not locked it yet */
     if :: atomic { file[r] == HIDDEN -> file[r] = NOTHING } :: else fi /* unlink of the hidden name */
  :: atomic {
       file[r] == RING ->
#ifdef LOCK_AFTER
       a = told[r]
#else
       dead = !locked[r]
#endif
     }
#ifdef LOCK_AFTER
     dead = !locked[r];
#else
     a = told[r];
#endif
     d_step {
       if :: !row[r] -> row[r] = true; cursor[r] = 0 :: else fi;
       do
       :: cursor[r] < a -> store(r, cursor[r]); cursor[r]++
       :: else -> break
       od;
       vo = 0
     }
     KILL;
     if
     :: !dead
     :: dead ->
        do
        :: a < told[r] + open[r] ->
           d_step {
             if
             :: a >= cursor[r] -> assert(a >= told[r]); store(r, a);
#ifndef OPEN_UNCOUNTED
                cursor[r]++
#endif
             :: else
             fi;
             a++
           }
           KILL
        :: else -> break
        od;
#ifdef ROW_FIRST
        row[r] = false;
        KILL;
#endif
        atomic {
          file[r] = NOTHING;
          assert(stored[r] == BIT(told[r] + open[r]) - 1)       /* all of it, now that it is gone */
        }
        KILL;
        row[r] = false
     fi
  :: else
  fi;
out:
  atomic { r = 0; a = 0; dead = false }
  goto round
}

proctype directory() { do :: in_sight = !in_sight od }

#ifdef DELETE_UNKNOWN
proctype janitor() { byte r; do :: r < N -> atomic { if :: !in_sight && row[r] -> row[r] = false :: else fi; r++ } :: else -> break od }
#endif

init {
  atomic {
    run process(0);
#if N > 1
    run process(1);
#endif
#if N > 2
    run process(2);
#endif
    run engine(); run directory();
#ifdef DELETE_UNKNOWN
    run janitor()
#endif
  }
}
