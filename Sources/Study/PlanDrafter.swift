// A plan from a session's own content, without a language model: parents that are alike make a topic,
// headings name it, and distinctive words do where there are no headings.
//
// Every number here was chosen by looking at the plans of real documents: docs/decisions/0020.

package import Library
package import Lexical
package import Vectors

package enum PlanDrafter {
    /// Parents that are looked at; of a larger session this is a sample.
    package static let limit = 2_048

    /// The plan of these parents. The same content gives the same plan, in whatever order it comes.
    ///
    /// Shapes: `vectors` `[parents.count × 768]`, of unit length. Nil language: what most stop words
    /// are of.
    ///
    /// - Complexity: k-means for up to 22 numbers of clusters: about 0.3 s for 300 parents.
    /// - Precondition: there is a parent.
    package static func draft(
        _ parents: [PlanParent], vectors: Block, language: Language? = nil
    ) -> StudyPlan {
        precondition(!parents.isEmpty && parents.count == vectors.count, "no content to plan")
        let (parents, vectors) = inReadingOrder(parents, vectors)
        let tree = HeadingTree(parents)
        let clusters = TopicClusters(
            vectors: StructuredVectors.block(vectors, divisions: tree.divisions))
        let terms = DistinctiveTerms(
            texts: parents.map(\.text), groups: clusters.groups, language: language)
        return TopicWriter(parents: parents, tree: tree, clusters: clusters, terms: terms).plan()
    }

    /// By document name and place, which the content decides; ids of documents are drawn at random.
    private static func inReadingOrder(
        _ parents: [PlanParent], _ vectors: Block
    ) -> ([PlanParent], Block) {
        let order = parents.indices.sorted {
            let (a, b) = (parents[$0], parents[$1])
            return (a.fileName, a.fileHash, a.index) < (b.fileName, b.fileHash, b.index)
        }
        let sorted = Block(count: order.count, dimension: vectors.dimension) { elements in
            var next = 0
            for row in order {
                for value in vectors.row(row) {
                    elements[next] = value
                    next += 1
                }
            }
        }
        return (order.map { parents[$0] }, sorted)
    }
}
