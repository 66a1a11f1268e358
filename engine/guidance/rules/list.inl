// Every guidance rule: a line here and `GuidanceRule name()` in a file beside it. The order is that of menus and lists;
// headings are GuidanceRule::group.
//
// Combination: conditional and unconditional
RULE(cfg)
RULE(progressiveCfg)
RULE(apg)
RULE(cfgZeroStar)
RULE(magnitudeAware)
RULE(frequencyDecoupled)
RULE(perpNeg)
RULE(dual)
RULE(residualCfg)
RULE(distilled)
RULE(nag)
// Before a combination
RULE(tangential)
RULE(fresca)
// Inside the network
RULE(freeU)
RULE(muteHead)
RULE(featureReuse)
RULE(deepCache)
RULE(firstBlockCache)
RULE(teaCache)
RULE(seaCache)
RULE(taylorSeer)
RULE(tokenMerging)
// A worse copy of the network
RULE(autoguidance)
RULE(pag)
RULE(seg)
RULE(slg)
RULE(sag)
// After a combination
RULE(rescale)
RULE(cfgNorm)
RULE(renorm)
RULE(mahiro)
RULE(mimic)
RULE(dynamicThreshold)
RULE(epsilonScaling)
RULE(temporalScoreRescaling)
// Several concepts and models
RULE(concepts)
RULE(superposition)
// Constraints and rewards
RULE(dataConsistency)
RULE(multiSource)
RULE(rewardSteering)
