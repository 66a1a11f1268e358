# What is installed and where, and the packages made of it (installer/package). The program finds its files at ../share/meander and ../lib/meander
# beside its own folder, so an installed tree may be moved.
set(shared ${CMAKE_INSTALL_DATADIR})
set(documents ${CMAKE_INSTALL_DATADIR}/doc/meander)

install(TARGETS meander-run RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET meander)
  install(TARGETS meander RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# The CUDA module installs itself (kernels/cuda) to lib/meander.

# Models, sample projects, help, presets. Fonts, icons and themes are inside the program; training is for the source tree.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/resources/ DESTINATION ${shared}/meander
  PATTERN "training" EXCLUDE PATTERN "fonts" EXCLUDE PATTERN "icons" EXCLUDE PATTERN "themes" EXCLUDE
  PATTERN "__pycache__" EXCLUDE PATTERN "*.py" EXCLUDE PATTERN "*.qrc" EXCLUDE PATTERN "*.ts" EXCLUDE PATTERN "golden*" EXCLUDE)

# Licence, change log, manual pages.
install(FILES ${CMAKE_SOURCE_DIR}/installer/debian/copyright DESTINATION ${documents})
install(FILES ${CMAKE_SOURCE_DIR}/NOTICE DESTINATION ${documents})
find_program(MEANDER_GZIP gzip)
mark_as_advanced(MEANDER_GZIP)
function(meander_install_compressed file destination name)
  if(NOT MEANDER_GZIP)
    install(FILES ${file} DESTINATION ${destination} RENAME ${name})
    return()
  endif()
  set(packed ${CMAKE_BINARY_DIR}/installer/${name}.gz)
  configure_file(${file} ${CMAKE_BINARY_DIR}/installer/${name} COPYONLY)
  execute_process(COMMAND ${MEANDER_GZIP} -9nc ${CMAKE_BINARY_DIR}/installer/${name} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${packed} DESTINATION ${destination})
endfunction()
meander_install_compressed(${CMAKE_SOURCE_DIR}/installer/debian/changelog ${documents} changelog)
meander_install_compressed(${CMAKE_SOURCE_DIR}/installer/man/meander-run.1 ${CMAKE_INSTALL_MANDIR}/man1 meander-run.1)

if(TARGET meander)
  meander_install_compressed(${CMAKE_SOURCE_DIR}/installer/man/meander.1 ${CMAKE_INSTALL_MANDIR}/man1 meander.1)
  # The desktop: menu entry, icon, file type, entry of the software catalogue.
  install(FILES installer/desktop/meander.desktop DESTINATION ${shared}/applications)
  install(FILES installer/desktop/meander.metainfo.xml DESTINATION ${shared}/metainfo RENAME org.meander.Meander.metainfo.xml)
  install(FILES installer/desktop/meander-mime.xml DESTINATION ${shared}/mime/packages RENAME meander.xml)
  install(FILES resources/icons/meander.svg DESTINATION ${shared}/icons/hicolor/scalable/apps)
  install(FILES installer/desktop/meander-256.png DESTINATION ${shared}/icons/hicolor/256x256/apps RENAME meander.png)
endif()

# Packages: DEB for Debian and Ubuntu, TGZ for an unpacked folder, NSIS and DragNDrop where CPack runs on Windows and macOS.
set(CPACK_PACKAGE_NAME meander)
set(CPACK_PACKAGE_VENDOR "The Meander authors")
set(CPACK_PACKAGE_CONTACT "The Meander authors <maintainers@meander.invalid>" CACHE STRING "Maintainer named in packages")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "workbench for the sampling of diffusion models")
set(CPACK_PACKAGE_DESCRIPTION "Meander captures every network evaluation of a sampling run of diffusion,
flow-matching and consistency models, shows where the trajectory bends and
what it costs, lets schedules, guidance and samplers be edited and replayed
from any step, and compares and exports the results.
.
Small trained models and exact two-dimensional distributions are built in and
run on any CPU. The module for NVIDIA GPUs (CUDA 13, cuDNN 9) is verified on an
emulator and has not run on a card yet.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_EXECUTABLES meander Meander)
set(CPACK_PACKAGE_INSTALL_DIRECTORY Meander)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
if(WIN32)
  set(CPACK_GENERATOR ZIP NSIS)
elseif(APPLE)
  set(CPACK_GENERATOR DragNDrop)
else()
  set(CPACK_GENERATOR DEB TGZ)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${CPACK_PACKAGE_CONTACT})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
