using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Kernel.Tests.Kit.Ctnetlink;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Sets the timers of entries, many in one send. With 0 an entry is over, and the next lookup reaps it:
/// its DESTROY has no requester and no time left.
/// </summary>
internal sealed class EntryTimers : IDisposable
{
    private const int AtOnce = 64;
    private const Errno ETIME = (Errno)62; // it is being destroyed

    private readonly NetlinkSocket _socket = new(NetlinkSocket.NETLINK_NETFILTER);
    private readonly byte[] _request = new byte[16 * 1024], _answer = new byte[32 * 1024];
    private uint _sequence;

    /// <summary>In the network namespace of the calling thread.</summary>
    public EntryTimers() => _socket.SetReceiveTimeout(TimeSpan.FromSeconds(30));

    /// <param name="seconds">From now.</param>
    /// <param name="state">The state that TCP entries are to have; null leaves it.</param>
    /// <returns>Which of the tuples had no entry, as indices.</returns>
    public IReadOnlyList<int> Set(ReadOnlySpan<FlowTuple> tuples, int seconds, TcpState? state = null)
    {
        List<int> missing = [];
        for (int i = 0; i < tuples.Length; i += AtOnce)
        {
            uint first = _sequence + 1;
            Send(tuples.Slice(i, Math.Min(AtOnce, tuples.Length - i)), seconds, state);
            Receive(first, i, missing);
        }

        return missing;
    }

    public void Dispose() => _socket.Dispose();

    private void Send(ReadOnlySpan<FlowTuple> tuples, int seconds, TcpState? state)
    {
        RequestWriter request = new(_request);
        for (int i = 0; i < tuples.Length; i++)
        {
            int acknowledge = i == tuples.Length - 1 ? Nlmsg.NLM_F_ACK : 0; // errors come unasked
            request.BeginNetfilter(
                Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW),
                Nlmsg.NLM_F_REPLACE | acknowledge,
                ++_sequence,
                (byte)tuples[i].Family);
            FlowRequest.PutKey(ref request, tuples[i]);
            request.PutU32(CTA_TIMEOUT, (uint)seconds);
            if (state is { } tcp && tuples[i].Protocol == IpProtocol.Tcp)
            {
                int info = request.BeginNest(CTA_PROTOINFO), nest = request.BeginNest(CTA_PROTOINFO_TCP);
                request.PutU8(CTA_PROTOINFO_TCP_STATE, (byte)tcp);
                request.EndNest(nest);
                request.EndNest(info);
            }

            request.EndMessage();
        }

        if (_socket.Send(request.Written) is not Errno.None and Errno errno)
            throw new NetlinkException("setting timers", errno);
    }

    /// <summary>Until the last one is acknowledged.</summary>
    private void Receive(uint first, int offset, List<int> missing)
    {
        while (true)
        {
            int length = _socket.Receive(_answer, out _);
            if (length < 0)
                throw new NetlinkException("setting timers", (Errno)(-length));
            MessageReader messages = new(_answer.AsSpan(0, length));
            while (messages.Next())
            {
                if (messages.Header.Type != Nlmsg.NLMSG_ERROR
                    || !ErrorMessage.TryRead(messages.Header, messages.Payload, out ErrorMessage error))
                    continue;
                if (error.Errno is Errno.ENOENT or ETIME)
                    missing.Add(offset + (int)(messages.Header.Sequence - first));
                else if (error.Errno != Errno.None)
                    throw new NetlinkException("setting timers", error.Errno, error.Text);
                if (messages.Header.Sequence == _sequence)
                    return;
            }
        }
    }
}
