// An arrow that points up.
package import Library
