import sys,time
from benchmarks.fuzz.trial import batch
t=time.time(); r=batch(1,range(int(sys.argv[1]),int(sys.argv[2]))); print(r.counts, time.time()-t, time.process_time())
for n,c in r.crashes: print("---",n); print(c[-900:])
