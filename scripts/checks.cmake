# The checks that cost next to nothing run with the unit tests, so that a build without lint shows them too.
foreach(check floors awaits prose)
  add_test(NAME scripts/check_${check}
    COMMAND ${SUPERD_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/check_${check}.py)
  add_test(NAME scripts/check_${check}_can_fail
    COMMAND ${SUPERD_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/check_${check}.py --self-test)
endforeach()
