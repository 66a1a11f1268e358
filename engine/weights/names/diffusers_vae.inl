R"(# AutoencoderKL as early versions of diffusers named its attention.
*                                          *
encoder.mid_block.attentions.0.to_q.*      encoder.mid_block.attentions.0.query.*
encoder.mid_block.attentions.0.to_k.*      encoder.mid_block.attentions.0.key.*
encoder.mid_block.attentions.0.to_v.*      encoder.mid_block.attentions.0.value.*
encoder.mid_block.attentions.0.to_out.0.*  encoder.mid_block.attentions.0.proj_attn.*
decoder.mid_block.attentions.0.to_q.*      decoder.mid_block.attentions.0.query.*
decoder.mid_block.attentions.0.to_k.*      decoder.mid_block.attentions.0.key.*
decoder.mid_block.attentions.0.to_v.*      decoder.mid_block.attentions.0.value.*
decoder.mid_block.attentions.0.to_out.0.*  decoder.mid_block.attentions.0.proj_attn.*
)"
