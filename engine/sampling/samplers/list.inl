// Every sampler: a line here and a file beside it with `SamplerInfo name()`. The order is that of menus and lists; headings are SamplerInfo::group.
// One step
SAMPLER(euler)
SAMPLER(heun)
SAMPLER(ddim)
// Multistep
SAMPLER(dpmpp2m)
// Stochastic
SAMPLER(eulerAncestral)
SAMPLER(dpmpp2mSde)
// Few-step
SAMPLER(lcm)
SAMPLER(consistency)
SAMPLER(ctm)
SAMPLER(tcd)
SAMPLER(pcm)
SAMPLER(multistepConsistency)
SAMPLER(hyperSegments)
SAMPLER(scm)
SAMPLER(shortcut)
SAMPLER(anchoredFlow)
SAMPLER(caf)
SAMPLER(dmd)
SAMPLER(rectifiedDiffusion)
SAMPLER(pfgmpp)
