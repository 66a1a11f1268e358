// Every architecture: a line here and a file beside it with `const Architecture& name()`.
ARCHITECTURE(unetArchitecture)
ARCHITECTURE(pixArtArchitecture)
ARCHITECTURE(fluxArchitecture)
ARCHITECTURE(sd3Architecture)
ARCHITECTURE(flux2Architecture)
ARCHITECTURE(qwenImageArchitecture)
ARCHITECTURE(zImageArchitecture)
ARCHITECTURE(lumina2Architecture)
