// Every intervention: a line here and `InterventionInfo name()` in a file beside it. The order is that of lists.
INTERVENTION(perturbedAttention)
INTERVENTION(smoothedAttention)
INTERVENTION(skip)
INTERVENTION(muteHead)
INTERVENTION(nag)
INTERVENTION(freeU)
INTERVENTION(featureReuse)
