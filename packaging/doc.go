// Package packaging holds what the product is shipped with: the unit, and what deb and
// rpm are made from. It has no code; its tests hold those files, the chart and the
// container examples to each other and to the product.
package packaging
