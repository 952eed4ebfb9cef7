using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>Looks at one message of an answer; its header is included and checked.</summary>
internal delegate void SetAnswerReader(in MessageHeader header, ReadOnlySpan<byte> message);

/// <summary>
/// A socket for requests to ipset and nf_tables, one at a time. It is opened again after a failure that leaves an answer half read. Used by one thread.
/// </summary>
internal sealed class SetLink(NetworkNamespace networkNamespace) : IDisposable
{
    private const int BufferBytes = 64 * 1024; // the kernel fills up to 32 KiB of what a dump's reader offers
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly byte[] _answer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private NetlinkSocket? _socket;
    private uint _sequence;

    /// <summary>For the next request.</summary>
    internal uint NextSequence() => ++_sequence;

    /// <exception cref="NetlinkException">No socket can be opened there.</exception>
    internal void Open() => _socket ??= networkNamespace.Run(() =>
    {
        NetlinkSocket socket = new(NetlinkSocket.NETLINK_NETFILTER);
        socket.SetReceiveTimeout(_patience);
        return socket;
    });

    /// <summary>Sends a request that asks for an acknowledgement or a dump, and reads to the end of the answer.</summary>
    /// <param name="interrupted">The dump was disturbed (NLM_F_DUMP_INTR): it may miss what was there all the time.</param>
    /// <returns>The kernel's errno; ipset has some of its own.</returns>
    internal Errno Exchange(ReadOnlySpan<byte> request, uint sequence, SetAnswerReader? reader, out bool interrupted)
    {
        interrupted = false;
        bool ended = false;
        try
        {
            Open();
            Errno sent = _socket!.Send(request);
            if (sent != Errno.None)
                return sent;
            Errno outcome = Errno.None;
            while (!ended)
            {
                int length = _socket.ReceiveFrom(_answer, out uint sender);
                if (length < 0)
                    return (Errno)(-length);
                if (length > _answer.Length)
                    return Errno.EMSGSIZE;
                if (sender == 0)
                    ended = ReadDatagram(_answer.AsSpan(0, length), sequence, reader, ref interrupted, ref outcome);
            }

            return outcome;
        }
        catch (NetlinkException e)
        {
            return e.Errno;
        }
        finally
        {
            if (!ended)
                Dispose();
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    /// <returns>Whether the answer is complete.</returns>
    private static bool ReadDatagram(Span<byte> datagram, uint sequence, SetAnswerReader? reader, ref bool interrupted, ref Errno outcome)
    {
        MessageReader messages = new(datagram);
        while (messages.Next())
        {
            if (messages.Header.Sequence != sequence)
                continue;
            if (messages.Header.Type == Nlmsg.NLMSG_ERROR)
            {
                outcome = ErrorMessage.TryRead(messages.Header, messages.Payload, out ErrorMessage error) ? error.Errno : Errno.EBADMSG;
                return true;
            }

            interrupted |= (messages.Header.Flags & Nlmsg.NLM_F_DUMP_INTR) != 0;
            if (messages.Header.Type == Nlmsg.NLMSG_DONE)
            {
                outcome = ErrorMessage.TryRead(messages.Header, messages.Payload, out ErrorMessage done) ? done.Errno : Errno.None;
                return true;
            }

            if (messages.Message.Length >= Nlmsg.HeaderLength + Nfnl.HeaderLength)
                reader?.Invoke(messages.Header, messages.Message);
        }

        if (!messages.Malformed)
            return false;
        outcome = Errno.EBADMSG;
        return true;
    }
}
