using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Nfts;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>What nf_tables tells of every change of the ruleset (NFNLGRP_NFTABLES). Used by the reader only.</summary>
internal sealed class NftNotifications : IDisposable
{
    private const int BufferBytes = 64 * 1024; // the kernel puts notifications together up to a page or one large message
    private const long QueueBytes = 4 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly SocketDrops _drops;

    private NftNotifications(NetlinkSocket socket)
    {
        Socket = socket;
        _drops = new SocketDrops(socket);
    }

    internal NetlinkSocket Socket { get; }

    /// <param name="join">False: nothing is told; the socket is there to wait on.</param>
    /// <exception cref="NetlinkException">No socket can be opened there, or nfnetlink has no such group.</exception>
    internal static NftNotifications Open(NetworkNamespace networkNamespace, bool join) => new(networkNamespace.Run(() =>
    {
        NetlinkSocket socket = new(NetlinkSocket.NETLINK_NETFILTER);
        SocketBuffer.Set(socket, QueueBytes, out _);
        // Without it an overrun is reported once, and stops all delivery until the queue is empty (netlink_overrun, NETLINK_S_CONGESTED).
        socket.SetOption(NetlinkOption.NETLINK_NO_ENOBUFS, 1);
        if (join)
            socket.Join(NFNLGRP_NFTABLES);
        return socket;
    }));

    /// <summary>Takes what is queued; the caller is told which sets must be read again.</summary>
    /// <returns>How many were lost: if any, every set must be. What is lost later finds the queue full, and so
    /// is counted by the next call.</returns>
    /// <exception cref="NetlinkException">The socket is broken.</exception>
    internal long Drain(IReadOnlyList<NftSource> sources, Action<NftSource> changed)
    {
        long lost = 0;
        while (true)
        {
            int length = Socket.Receive(_buffer, out _, wait: false);
            if (length == -(int)Errno.EAGAIN)
                return lost + _drops.ReadIncrease();
            if (length < 0)
                throw new NetlinkException("receiving notifications of nftables", (Errno)(-length));
            if (length > _buffer.Length)
            {
                lost++;
                continue;
            }

            MessageReader messages = new(_buffer.AsSpan(0, length));
            while (messages.Next())
            {
                if (messages.Header.Type >> 8 != NFNL_SUBSYS_NFTABLES
                    || !IsOfSets((byte)messages.Header.Type)
                    || messages.Payload.Length < Nfnl.HeaderLength)
                    continue;
                foreach (NftSource source in sources)
                {
                    if (source.Notify(messages.Header, messages.Message))
                        changed(source);
                }
            }
        }
    }

    public void Dispose() => Socket.Dispose();

    private static bool IsOfSets(byte message) => message
        is NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM or NFT_MSG_NEWSET or NFT_MSG_DELSET or NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE;
}
