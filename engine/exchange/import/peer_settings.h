// What settings of other programs mean here: those about the file, those without a counterpart, and parameters of the
// same meaning. Keys in lower case.
#pragma once

namespace meander {

struct Remark {
    const char *key, *reason;
};

// Settings that say something about the file, not about the sampling.
inline constexpr const char* provenance[] = {"version",
                                             "app",
                                             "created date",
                                             "user",
                                             "parser",
                                             "backend",
                                             "pipeline",
                                             "operations",
                                             "template",
                                             "negative template",
                                             "original prompt",
                                             "original negative prompt",
                                             "batch pos",
                                             "civitai resources",
                                             "civitai metadata",
                                             "extrajsonmetainfo",
                                             "metadata scheme",
                                             "time",
                                             "date",
                                             "model hash",
                                             "vae hash",
                                             "lora hashes",
                                             "ti hashes",
                                             "ti",
                                             "hashes",
                                             "wildcard prompt",
                                             "wildcard negative prompt",
                                             "generation mode",
                                             "request type",
                                             "software",
                                             "source"};

// Known settings without a counterpart, with the reason. Beginnings of keys.
inline constexpr Remark withoutCounterpart[] = {
    {"aspect", "images have the size of the model"},
    {"model", "choose it in the Model panel"},
    {"vae", "the model's own decoder is used, or one beside it in a folder named vae"},
    {"denoising strength", "choose the start image and its strength under Start"},
    {"init image", "choose it under Start"},
    {"mask", "choose it under Source image, which models for inpainting take"},
    {"inpaint", "choose image and mask under Source image, which models for inpainting take"},
    {"image cfg", "set it as the middle scale of the guidance rule Dual guidance"},
    {"hires", "a second pass at a larger size"},
    {"refiner", "a second model"},
    {"controlnet", "there are no control networks"},
    {"adetailer", "an extension"},
    {"dynamic thresholding", "an extension; see the guidance rule Dynamic thresholding"},
    {"ngms", "guidance is not skipped by its size"},
    {"lora", "add their files under Adapter"},
    {"face restoration", "not a part of sampling"},
    {"upscale", "not a part of sampling"},
    {"styles", "their words may be in the prompt already"},
    {"token merging", "not done here"},
    {"tiling", "not done here"},
};

// A setting of theirs that is a parameter of ours of the same meaning.
struct ParamOf {
    const char *theirs, *ours;
};
inline constexpr ParamOf samplerParams[] = {{"eta", "eta"},
                                            {"eta ddim", "eta"},
                                            {"sigma noise", "s_noise"},
                                            {"sigma churn", "s_churn"},
                                            {"sigma tmin", "s_tmin"},
                                            {"sigma tmax", "s_tmax"},
                                            {"unipc order", "order"},
                                            {"unipc variant", "variant"},
                                            {"solver order", "order"},
                                            {"gamma", "gamma"}};
inline constexpr ParamOf scheduleParams[] = {{"schedule max sigma", "max"},
                                             {"schedule min sigma", "min"},
                                             {"schedule rho", "rho"},
                                             {"kdiff sched max sigma", "max"},
                                             {"kdiff sched min sigma", "min"},
                                             {"kdiff sched rho", "rho"},
                                             {"beta schedule alpha", "alpha"},
                                             {"beta schedule beta", "beta"},
                                             {"shift", "shift"},
                                             {"mu", "mu"},
                                             {"base shift", "base_shift"},
                                             {"max shift", "max_shift"},
                                             {"spacing", "spacing"},
                                             {"offset", "offset"},
                                             {"final sigma", "final"}};

}  // namespace meander
