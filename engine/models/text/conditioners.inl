// Every conditioner: a line here and a file beside it with `const Conditioner& name()`.
CONDITIONER(clipConditioner)
CONDITIONER(sdxlConditioner)
