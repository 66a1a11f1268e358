// Every schedule: a line here and a file beside it with `ScheduleInfo name()` (related rules share a file). The order
// is that of menus and lists; headings are ScheduleInfo::group.
//
// Noise-level rules
SCHEDULE(karras)
SCHEDULE(exponential)
SCHEDULE(polyexponential)
SCHEDULE(uniformLambda)
SCHEDULE(variancePreserving)
SCHEDULE(tangent)
SCHEDULE(klOptimal)
SCHEDULE(laplace)
SCHEDULE(linearQuadratic)
SCHEDULE(bongTangent)
SCHEDULE(reforge)
SCHEDULE(constantGeometric)
// Time curves
SCHEDULE(uniformTime)
SCHEDULE(cosine)
SCHEDULE(cosineTime)
SCHEDULE(quadraticTime)
SCHEDULE(sigmoidTime)
// Training steps
SCHEDULE(modelSteps)
SCHEDULE(simple)
SCHEDULE(normal)
SCHEDULE(sgmUniform)
SCHEDULE(ddimUniform)
SCHEDULE(beta)
SCHEDULE(smoothstep)
SCHEDULE(sdTurbo)
// Flow
SCHEDULE(flowShift)
SCHEDULE(flowDynamic)
SCHEDULE(flux2)
SCHEDULE(ltx2)
SCHEDULE(logitNormal)
// Optimised tables
SCHEDULE(alignYourSteps)
SCHEDULE(gits)
SCHEDULE(optimalSteps)
// Own
SCHEDULE(custom)
