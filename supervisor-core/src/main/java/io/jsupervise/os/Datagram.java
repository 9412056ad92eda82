package io.jsupervise.os;

import java.util.List;

/**
 * A message that came to a datagram socket.
 *
 * @param sender      the process that sent it, as the kernel says; 0 where that is outside of what we may see
 * @param uid         of the sender
 * @param content     as much of it as was asked for
 * @param descriptors what came with it; for whoever takes the message to close
 */
public record Datagram(int sender, int uid, byte[] content, List<Fd> descriptors) {}
