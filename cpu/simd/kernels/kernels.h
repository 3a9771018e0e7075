// Everything that is compiled once for each instruction set.
#include "vector.h"
#include "matmul.h"
#include "layernorm.h"
#include "rope.h"
#include "attend.h"
#include "draw.h"
