# OM_TRY_FLAGS(VARIABLE, PHASE, FLAGS)
# Adds each flag to VARIABLE if the compiler (PHASE compile) or the linker
# (PHASE link) takes it without a warning.
AC_DEFUN([OM_TRY_FLAGS], [
m4_foreach_w([om_flag], [$3], [
  AS_VAR_PUSHDEF([om_cache], [om_cv_$2_]om_flag)
  AC_CACHE_CHECK([whether om_flag works ($2)], [om_cache], [
    om_save_CFLAGS=$CFLAGS
    om_save_LDFLAGS=$LDFLAGS
    AS_CASE([$2], [compile], [CFLAGS="$CFLAGS -Werror om_flag"],
                             [LDFLAGS="$LDFLAGS -Werror om_flag"])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[char b[8]; memset(b, 0, sizeof b); return b[0];]])],
      [AS_VAR_SET([om_cache], [yes])], [AS_VAR_SET([om_cache], [no])])
    CFLAGS=$om_save_CFLAGS
    LDFLAGS=$om_save_LDFLAGS
  ])
  AS_VAR_IF([om_cache], [yes], [$1="$$1 om_flag"])
  AS_VAR_POPDEF([om_cache])
])
])
