"""The losses: pure functions of unit vectors, as `keras.ops` tensors."""

from typing import Any

from keras import ops

Tensor = Any  # a tensor of whichever backend Keras runs on

SCALE = 16.0
"""The scale of the heads' cosines, which limits how sure of a class a head can be."""

_NEVER = -1e4  # stands for the logarithm of 0


def cosine_softmax(embeddings: Tensor, proxies: Tensor, targets: Tensor, scale: float) -> Tensor:
    """Cross-entropy over cosines to one proxy a class: NormFace (Wang et al. 2017, eq. 4), with soft targets.

        loss_i = -sum_c t_ic log( exp(s <x_i, w_c>) / sum_k exp(s <x_i, w_k>) ),  x and w of unit length

    Args:
        embeddings: (n, d), unit vectors.
        proxies: (c, d), any length.
        targets: (n, c); each row sums to 1, or is all 0 if the photo has no such label.
        scale: s; a larger one is sharper.

    Returns:
        A scalar: the mean over labelled rows, or 0 if there is none.
    """
    losses = -ops.sum(targets * _log_chances(embeddings, proxies, scale), axis=-1)
    labelled = ops.sum(targets)
    return ops.sum(losses) / ops.maximum(labelled, 1.0)


def grouped_softmax(embeddings: Tensor, proxies: Tensor, groups: Tensor, targets: Tensor, scale: float) -> Tensor:
    """Compute `cosine_softmax` for labels that name a group of classes instead of one class.

        loss_i = -sum_g t_ig log( sum_{c in g} p_ic ),  p_i = softmax_c(s <x_i, w_c>)

    Args:
        embeddings: (n, d), unit vectors.
        proxies: (c, d), any length.
        groups: (c, g), 1 where the class belongs to the group, else 0. A group without classes counts as no label.
        targets: (n, g), as in `cosine_softmax`.
        scale: s.

    Returns:
        A scalar: the mean over labelled rows, or 0 if there is none.
    """
    of_group = ops.where(groups[None] > 0, _log_chances(embeddings, proxies, scale)[:, :, None], _NEVER)
    targets = targets * ops.max(groups, axis=0)
    return -ops.sum(targets * ops.logsumexp(of_group, axis=1)) / ops.maximum(ops.sum(targets), 1.0)


def _log_chances(embeddings: Tensor, proxies: Tensor, scale: float) -> Tensor:
    """Return the logarithm of the softmax over cosines (n, c)."""
    return ops.log_softmax(scale * ops.matmul(embeddings, ops.transpose(ops.normalize(proxies, axis=-1))), axis=-1)


def smoothed(targets: Tensor, share: float) -> Tensor:
    """Smooth labels (Szegedy et al. 2016, section 7): t' = (1 - share) t + share / c; rows of zeros stay.

    Args:
        targets: (n, c); each row sums to 1 or to 0.
        share: 0-1, the share of each label that is spread over all classes.
    """
    return (1 - share) * targets + share / targets.shape[-1] * ops.sum(targets, axis=-1, keepdims=True)


def info_nce(anchors: Tensor, positives: Tensor, others: Tensor, same_item: Tensor, temperature: float) -> Tensor:
    """Contrast two views of each item with other items: InfoNCE (van den Oord et al. 2018, eq. 4).

        loss_i = -log( exp(<a_i, p_i>/T) / (sum_j exp(<a_i, p_j>/T) + sum_k exp(<a_i, o_k>/T)) )

    The sum over k leaves out photos of item i itself. `others` are embeddings of earlier batches (cross-batch memory,
    Wang et al. 2020): hundreds of negatives of the anchor's own category at no cost.

    Args:
        anchors: (n, d), unit vectors, one view of each item.
        positives: (n, d), unit vectors, the other view of the same items, row for row.
        others: (m, d), unit vectors, or zeros where the memory is not yet filled.
        same_item: (n, m), 1 where the other shows the anchor's item, else 0.
        temperature: T.

    Returns:
        A scalar: the mean over anchors.
    """
    to_positives = ops.matmul(anchors, ops.transpose(positives)) / temperature
    to_others = ops.matmul(anchors, ops.transpose(others)) / temperature - 1e4 * same_item
    logits = ops.concatenate([to_positives, to_others], axis=1)
    return -ops.mean(ops.diagonal(ops.log_softmax(logits, axis=-1)))


def neighbour_softmax(anchors: Tensor, others: Tensor, alike: Tensor, excluded: Tensor, temperature: float) -> Tensor:
    """Match the results that a search should give: a supervised contrastive loss with weighted positives.

        loss_i = -sum_j a_ij log( exp(<x_i, o_j>/T) / sum_k exp(<x_i, o_k>/T) ) / sum_j a_ij

    If a_ij is 0 or 1, this is the outer form of Khosla et al. 2020, eq. 2. The sums leave out excluded photos.

    Args:
        anchors: (n, d), unit vectors.
        others: (m, d), unit vectors of gallery photos.
        alike: (n, m), a_ij, 0 or more: how good a result photo j is for photo i.
        excluded: (n, m), 1 where photo j shows the anchor's own item or is missing, else 0.
        temperature: T.

    Returns:
        A scalar: the mean over anchors with a right result, or 0 if there is none.
    """
    logits = ops.matmul(anchors, ops.transpose(others)) / temperature - 1e4 * excluded
    wanted = alike * (1 - excluded)
    total = ops.sum(wanted, axis=-1)
    losses = -ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1) / ops.maximum(total, 1e-6)
    answered = ops.cast(total > 0, losses.dtype)
    return ops.sum(losses * answered) / ops.maximum(ops.sum(answered), 1.0)


def word_entropy(embeddings: Tensor, proxies: Tensor, biases: Tensor, targets: Tensor, rows: Tensor) -> Tensor:
    """Compute the binary cross-entropy of words, of which a photo may have several or none.

        loss_i = -sum_w t_iw log(p_iw) + (1 - t_iw) log(1 - p_iw),  p_iw = sigmoid(s <x_i, w_w> + b_w),  s = `SCALE`

    Args:
        embeddings: (n, d), unit vectors.
        proxies: (w, d), any length.
        biases: (w,), lower for rarer words.
        targets: (n, w), 0 to 1.
        rows: (n,), 1 if the words of the photo are known, else 0.

    Returns:
        A scalar: the mean over the known rows, or 0 if there is none.
    """
    logits = SCALE * ops.matmul(embeddings, ops.transpose(ops.normalize(proxies, axis=-1))) + biases
    losses = ops.sum(ops.binary_crossentropy(targets, logits, from_logits=True), axis=-1)
    return ops.sum(losses * rows) / ops.maximum(ops.sum(rows), 1.0)


def direction_loss(students: Tensor, teachers: Tensor) -> Tensor:
    """Measure how far a student's vectors point away from a teacher's: the mean of 1 - <x_i, t_i>.

    Args:
        students: (n, d), unit vectors.
        teachers: (n, d), unit vectors of the same photos, row for row.
    """
    return 1.0 - ops.mean(ops.sum(students * teachers, axis=-1))


def relation_loss(students: Tensor, teachers: Tensor, gallery: Tensor, temperature: float) -> Tensor:
    """Distil relations: the student's search should give the same results as the teacher's.

        loss_i = KL(q_i || p_i),  q_i = softmax_j(<t_i, g_j>/T),  p_i = softmax_j(<x_i, g_j>/T)

    The loss keeps the distances between photos (Park et al. 2019, "Relational Knowledge Distillation") in the form of
    distributions over a gallery (Passalis & Tefas 2018).

    Args:
        students: (n, d), unit vectors.
        teachers: (n, d), unit vectors of the same photos, row for row.
        gallery: (m, d), the teacher's vectors of the photos to search in.
        temperature: T.

    Returns:
        A scalar: the mean over rows.
    """
    known = ops.log_softmax(ops.matmul(teachers, ops.transpose(gallery)) / temperature, axis=-1)
    said = ops.log_softmax(ops.matmul(students, ops.transpose(gallery)) / temperature, axis=-1)
    return ops.mean(ops.sum(ops.exp(known) * (known - said), axis=-1))
