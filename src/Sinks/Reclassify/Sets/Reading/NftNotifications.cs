using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Nfts;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.EventTap.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>What nf_tables tells of every change of the ruleset (NFNLGRP_NFTABLES). Used by the reader only.</summary>
internal sealed class NftNotifications : IDisposable
{
    private const int BufferBytes = 64 * 1024; // the kernel puts notifications together up to a page or one large message
    private const long QueueBytes = 4 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);

    private NftNotifications(NetlinkSocket socket) => Socket = socket;

    internal NetlinkSocket Socket { get; }

    /// <param name="join">False: nothing is told; the socket is there to wait on.</param>
    /// <exception cref="NetlinkException">No socket can be opened there, or nfnetlink has no such group.</exception>
    internal static NftNotifications Open(NetworkNamespace networkNamespace, bool join) => new(networkNamespace.Run(() =>
    {
        NetlinkSocket socket = new(NetlinkSocket.NETLINK_NETFILTER);
        SocketBuffer.Set(socket, QueueBytes, out _);
        if (join)
            socket.SetOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES, "NETLINK_ADD_MEMBERSHIP (nftables)");
        return socket;
    }));

    /// <summary>Takes what is queued; the caller is told which sets must be read again.</summary>
    /// <returns>None; else notifications were lost, and every set must be.</returns>
    internal Errno Drain(IReadOnlyList<NftSource> sources, Action<NftSource> changed)
    {
        while (true)
        {
            int length = Socket.Receive(_buffer, MSG_DONTWAIT | MSG_TRUNC);
            if (length < 0)
                return (Errno)(-length) is Errno.EAGAIN ? Errno.None : (Errno)(-length);
            if (length > _buffer.Length)
                return Errno.EMSGSIZE;
            MessageReader messages = new(_buffer.AsSpan(0, length));
            while (messages.Next())
            {
                if (messages.Header.Type >> 8 != NFNL_SUBSYS_NFTABLES || !IsOfSets((byte)messages.Header.Type) || messages.Payload.Length < Nfnl.HeaderLength)
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
