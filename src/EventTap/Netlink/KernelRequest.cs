namespace ConntrackStream.EventTap.Netlink;

/// <summary>Looks at one message of an answer that is not an acknowledgement, its header included; the message is only borrowed.</summary>
public delegate void AnswerReader(ReadOnlySpan<byte> message);

/// <summary>
/// Requests to parts of the kernel that work within the caller's sendto(2), as rtnetlink and nf_tables do: when it returns, every answer is
/// queued, so that reading never has to block.
/// </summary>
public static class KernelRequest
{
    /// <summary>Length of a buffer that holds any part of a dump, in bytes.</summary>
    public const int BufferLength = 32 * 1024;

    /// <summary>Sends the requests, which ask for acknowledgement (NLM_F_ACK) or a dump, and reads all answers.</summary>
    /// <param name="socket">Where to ask.</param>
    /// <param name="requests">One or several messages.</param>
    /// <param name="onAnswer">Called for each message that is not an acknowledgement.</param>
    /// <param name="buffer">For the answers, of <see cref="BufferLength"/>, from those who ask often.</param>
    /// <returns>The first failure with the kernel's own words; none when all went well; EIO when nothing was answered.</returns>
    public static ErrorMessage Exchange(
        NetlinkSocket socket, ReadOnlySpan<byte> requests, AnswerReader? onAnswer = null, byte[]? buffer = null)
    {
        Errno sent = socket.Send(requests);
        if (sent != Errno.None)
            return new ErrorMessage(sent, null);
        NetlinkAnswers answers = new(socket, buffer ?? new byte[BufferLength], first: 0, uint.MaxValue, wait: false);
        ErrorMessage? outcome = null;
        Errno received;
        while ((received = answers.Next()) == Errno.None)
        {
            if (!answers.TryReadError(out ErrorMessage error))
                onAnswer?.Invoke(answers.Message);
            else if (outcome is null or { Errno: Errno.None })
                outcome = error;
        }

        if (received != Errno.EAGAIN)
            return new ErrorMessage(received, null);
        return outcome ?? new ErrorMessage(Errno.EIO, "the kernel did not answer");
    }
}
