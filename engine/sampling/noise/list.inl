// The sources, in the order of lists: one file in sources/ and one line each.
NOISE(philox)
NOISE(torchCpu)
NOISE(torchCuda)
NOISE(nvPhilox)
NOISE(brownian)
NOISE(moving)
NOISE(recorded)
