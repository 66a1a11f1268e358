R"(# Z-Image; what is not listed has the names of diffusers.
layers.{i}.attention.to_q.*               layers.{i}.attention.qkv.*  rows 0-1/3
layers.{i}.attention.to_k.*               layers.{i}.attention.qkv.*  rows 1-2/3
layers.{i}.attention.to_v.*               layers.{i}.attention.qkv.*  rows 2-3/3
layers.{i}.attention.to_out.0.*           layers.{i}.attention.out.*
layers.{i}.attention.norm_q.*             layers.{i}.attention.q_norm.*
layers.{i}.attention.norm_k.*             layers.{i}.attention.k_norm.*
noise_refiner.{i}.attention.to_q.*        noise_refiner.{i}.attention.qkv.*  rows 0-1/3
noise_refiner.{i}.attention.to_k.*        noise_refiner.{i}.attention.qkv.*  rows 1-2/3
noise_refiner.{i}.attention.to_v.*        noise_refiner.{i}.attention.qkv.*  rows 2-3/3
noise_refiner.{i}.attention.to_out.0.*    noise_refiner.{i}.attention.out.*
noise_refiner.{i}.attention.norm_q.*      noise_refiner.{i}.attention.q_norm.*
noise_refiner.{i}.attention.norm_k.*      noise_refiner.{i}.attention.k_norm.*
context_refiner.{i}.attention.to_q.*      context_refiner.{i}.attention.qkv.*  rows 0-1/3
context_refiner.{i}.attention.to_k.*      context_refiner.{i}.attention.qkv.*  rows 1-2/3
context_refiner.{i}.attention.to_v.*      context_refiner.{i}.attention.qkv.*  rows 2-3/3
context_refiner.{i}.attention.to_out.0.*  context_refiner.{i}.attention.out.*
context_refiner.{i}.attention.norm_q.*    context_refiner.{i}.attention.q_norm.*
context_refiner.{i}.attention.norm_k.*    context_refiner.{i}.attention.k_norm.*
all_x_embedder.2-1.*                      x_embedder.*
all_final_layer.2-1.*                     final_layer.*
*                                         *
)"
