using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Summary;

/// <summary>
/// How many flows begin, without reading their events: a socket that joins the group of NEW counts what it has no room for. The kernel has
/// no such counter since Linux 4.9.
/// </summary>
internal sealed class NewFlowCount : IDisposable
{
    private readonly NetlinkSocket _socket;
    private readonly SocketDrops _drops;
    private readonly byte[] _buffer = new byte[8192];
    private long _seen;

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">EPERM: needs CAP_NET_ADMIN.</exception>
    internal NewFlowCount()
    {
        _socket = new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER);
        try
        {
            _socket.SetOption(NetlinkOption.NETLINK_NO_ENOBUFS, 1);
            _socket.Join(Nfnl.NFNLGRP_CONNTRACK_NEW);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _drops = new SocketDrops(_socket);
    }

    /// <summary>Flows that have begun since the socket was opened. Reads what is queued, which is no more than the buffer holds.</summary>
    internal long Read()
    {
        _seen += _drops.ReadIncrease(); // before the queue is emptied, so that none is counted twice
        for (int waiting = MostQueued; waiting > 0 && _socket.Receive(_buffer, out uint sender, wait: false) > 0; waiting--)
            _seen += sender == 0 ? 1 : 0;
        return _seen;
    }

    public void Dispose() => _socket.Dispose();

    private const int MostQueued = 4096; // whoever reads while a storm goes on must come to an end
}
