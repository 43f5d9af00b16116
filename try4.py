import sys, time
from proto import problem
import bayesmix as bm

spec, data = problem(sys.argv[1])
t = time.time()
dt = bm.sample(spec, data, progress=False, sampler=sys.argv[3], minutes=3)
print("t", time.time() - t)
print(dt.get("tempering"))
print(dt["modes"]["share"].to_numpy()[:10] if "share" in dt["modes"] else "")
print(bm.diagnose(dt))
