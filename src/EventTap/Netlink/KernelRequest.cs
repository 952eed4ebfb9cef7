namespace ConntrackStream.EventTap.Netlink;

/// <summary>Looks at one message of an answer that is not an acknowledgement, its header included.</summary>
internal delegate void AnswerReader(ReadOnlySpan<byte> message);

/// <summary>
/// Sends requests and reads what the kernel says to them. rtnetlink and nf_tables work within the caller's sendto(2): when it returns, every
/// answer is queued, so that reading never has to block.
/// </summary>
internal static class KernelRequest
{
    internal const int BufferLength = 32 * 1024;

    /// <summary>Sends the requests, which ask for acknowledgement, and reads all answers.</summary>
    /// <param name="socket">Where to ask.</param>
    /// <param name="requests">One or several messages.</param>
    /// <param name="onAnswer">Told of each message that is not an acknowledgement.</param>
    /// <param name="buffer">For the answers, of <see cref="BufferLength"/>, from those who ask often.</param>
    /// <returns>The first failure with the kernel's own words; none when all went well; EIO when nothing was answered.</returns>
    internal static ErrorMessage Exchange(NetlinkSocket socket, ReadOnlySpan<byte> requests, AnswerReader? onAnswer = null, byte[]? buffer = null)
    {
        Errno sent = socket.Send(requests);
        if (sent != Errno.None)
            return new ErrorMessage(sent, null);
        buffer ??= new byte[BufferLength];
        ErrorMessage? outcome = null;
        while (true)
        {
            int length = socket.Receive(buffer, Libc.MSG_DONTWAIT);
            if (length == -(int)Errno.EAGAIN)
                return outcome ?? new ErrorMessage(Errno.EIO, "the kernel did not answer");
            if (length < 0)
                return new ErrorMessage((Errno)(-length), null);
            ReadDatagram(buffer.AsSpan(0, length), ref outcome, onAnswer);
        }
    }

    private static void ReadDatagram(ReadOnlySpan<byte> datagram, ref ErrorMessage? outcome, AnswerReader? onAnswer)
    {
        MessageReader messages = new(datagram);
        while (messages.Next())
        {
            if (messages.Header.Type != Nlmsg.NLMSG_ERROR)
                onAnswer?.Invoke(messages.Message);
            else if (outcome is null or { Errno: Errno.None } && ErrorMessage.TryRead(messages.Header, messages.Payload, out ErrorMessage error))
                outcome = error;
        }
    }
}
