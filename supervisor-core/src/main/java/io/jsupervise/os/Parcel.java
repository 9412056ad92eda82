package io.jsupervise.os;

import java.util.List;

/**
 * A message between sockets, and the descriptors that go with it.
 *
 * @param content at least one byte, at most 16 KiB; not to be changed
 */
public record Parcel(byte[] content, List<Fd> descriptors) {
    /** SCM_MAX_FD: more descriptors do not go with one message. */
    public static final int MOST_DESCRIPTORS = 253;

    public static final int MOST_BYTES = 1 << 14;

    public Parcel {
        if (content.length == 0 || content.length > MOST_BYTES || descriptors.size() > MOST_DESCRIPTORS) {
            throw new IllegalArgumentException(content.length + " bytes, " + descriptors.size() + " descriptors");
        }
        descriptors = List.copyOf(descriptors);
    }
}
