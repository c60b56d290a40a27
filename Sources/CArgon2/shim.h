// Password hashing (RFC 9106): Debian's libargon2.
#include <argon2.h>
