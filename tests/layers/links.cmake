# cmake -DPROGRAM=<file> -P links.cmake: fails when the program loads a library it must not.
execute_process(COMMAND ldd ${PROGRAM} OUTPUT_VARIABLE loaded RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "ldd ${PROGRAM} failed")
endif()
get_filename_component(name ${PROGRAM} NAME)
set(never
  "libQt5" "Qt 5 beside Qt 6"
  "libopencv_highgui" "highgui links Qt 5"
  "libopencv_(imgcodecs|videoio|dnn)" "it drags in over a hundred libraries"
  "libgdal" "it comes with imgcodecs"
  "libQt6(Charts|DataVisualization)" "it is GPL, the CUDA libraries cannot be shipped with it"
  "lib(cuda|cudart|cublas|cublasLt|cudnn)\\.so" "CUDA is opened at run time, so the program starts without a driver"
  "not found" "a library is missing")
if(name STREQUAL "meander-run")
  list(APPEND never "libQt6" "the command line works without Qt")
endif()
set(wrong "")
while(never)
  list(POP_FRONT never pattern why)
  string(REGEX MATCH "[^\n]*${pattern}[^\n]*" line "${loaded}")
  if(line)
    string(STRIP "${line}" line)
    string(APPEND wrong "  ${line}: ${why}\n")
  endif()
endwhile()
string(REGEX MATCHALL "\n" lines "\n${loaded}")
list(LENGTH lines count)
if(wrong)
  message(FATAL_ERROR "${name} loads what it must not:\n${wrong}")
endif()
message(STATUS "${name} loads ${count} libraries, none of them forbidden")
