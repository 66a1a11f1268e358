R"(# The codec of Wan 2.1 and Qwen-Image by the names of their authors: residual blocks are lists, the upsampler of a
# level is the fourth of its list.
quant_conv.*                                       conv1.*
post_quant_conv.*                                  conv2.*
encoder.conv_in.*                                  encoder.conv1.*
encoder.norm_out.*                                 encoder.head.0.*
encoder.conv_out.*                                 encoder.head.2.*
encoder.mid_block.resnets.{r}.norm1.*              encoder.middle.{2r}.residual.0.*
encoder.mid_block.resnets.{r}.conv1.*              encoder.middle.{2r}.residual.2.*
encoder.mid_block.resnets.{r}.norm2.*              encoder.middle.{2r}.residual.3.*
encoder.mid_block.resnets.{r}.conv2.*              encoder.middle.{2r}.residual.6.*
encoder.mid_block.attentions.0.*                   encoder.middle.1.*
encoder.down_blocks.{i}.norm1.*                    encoder.downsamples.{i}.residual.0.*
encoder.down_blocks.{i}.conv1.*                    encoder.downsamples.{i}.residual.2.*
encoder.down_blocks.{i}.norm2.*                    encoder.downsamples.{i}.residual.3.*
encoder.down_blocks.{i}.conv2.*                    encoder.downsamples.{i}.residual.6.*
encoder.down_blocks.{i}.conv_shortcut.*            encoder.downsamples.{i}.shortcut.*
encoder.down_blocks.{i}.resample.*                 encoder.downsamples.{i}.resample.*
decoder.conv_in.*                                  decoder.conv1.*
decoder.norm_out.*                                 decoder.head.0.*
decoder.conv_out.*                                 decoder.head.2.*
decoder.mid_block.resnets.{r}.norm1.*              decoder.middle.{2r}.residual.0.*
decoder.mid_block.resnets.{r}.conv1.*              decoder.middle.{2r}.residual.2.*
decoder.mid_block.resnets.{r}.norm2.*              decoder.middle.{2r}.residual.3.*
decoder.mid_block.resnets.{r}.conv2.*              decoder.middle.{2r}.residual.6.*
decoder.mid_block.attentions.0.*                   decoder.middle.1.*
decoder.up_blocks.{b}.resnets.{r}.norm1.*          decoder.upsamples.{4b+r}.residual.0.*
decoder.up_blocks.{b}.resnets.{r}.conv1.*          decoder.upsamples.{4b+r}.residual.2.*
decoder.up_blocks.{b}.resnets.{r}.norm2.*          decoder.upsamples.{4b+r}.residual.3.*
decoder.up_blocks.{b}.resnets.{r}.conv2.*          decoder.upsamples.{4b+r}.residual.6.*
decoder.up_blocks.{b}.resnets.{r}.conv_shortcut.*  decoder.upsamples.{4b+r}.shortcut.*
decoder.up_blocks.{b}.upsamplers.0.resample.*      decoder.upsamples.{4b+3}.resample.*
)"
