using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>Looks at one message of an answer; its header is included and checked.</summary>
internal delegate void SetAnswerReader(in MessageHeader header, ReadOnlySpan<byte> message);

/// <summary>
/// A socket for requests to ipset and nf_tables, one at a time. It is opened again after a failure that leaves an
/// answer half read. Used by one thread.
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
            NetlinkAnswers answers = new(_socket, _answer, sequence);
            Errno outcome = Read(ref answers, reader, out ended);
            interrupted = answers.Interrupted;
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

    /// <summary>Reads to the end of the answer, or until nothing comes any more.</summary>
    private static Errno Read(ref NetlinkAnswers answers, SetAnswerReader? reader, out bool ended)
    {
        ended = false;
        Errno received;
        while ((received = answers.Next()) == Errno.None)
        {
            if (answers.TryReadEnd(out ErrorMessage outcome))
            {
                ended = true;
                return answers.Malformed == 0 ? outcome.Errno : Errno.EBADMSG;
            }

            if (answers.Message.Length >= Nlmsg.HeaderLength + Nfnl.HeaderLength)
                reader?.Invoke(answers.Header, answers.Message);
        }

        return received;
    }
}
