internal import CBLAS
import NIOCore
