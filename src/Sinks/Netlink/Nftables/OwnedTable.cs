using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Netlink.Nftables;

/// <summary>
/// An nftables table <c>inet NAME</c> that lives as long as this object's socket (NFT_TABLE_F_OWNER): disposing it removes it, and so does
/// the end of the process, kill -9 included. <c>nft flush ruleset</c>, as firewall services run it, leaves it alone.
/// </summary>
internal sealed class OwnedTable : IDisposable
{
    private readonly string _name;
    private readonly NetlinkSocket _socket;

    private OwnedTable(string name, NetlinkSocket socket)
    {
        _name = name;
        _socket = socket;
    }

    /// <summary>Adds the rest of the table to a transaction that has just made it.</summary>
    internal delegate void Contents(ref NftBatch batch);

    /// <summary>Makes the table, in one transaction.</summary>
    /// <exception cref="NetlinkException">EPERM: CAP_NET_ADMIN is missing, or another process owns a table of this name; EEXIST: there is a
    /// table of this name; EOPNOTSUPP, ENOENT: the kernel lacks nf_tables or an expression.</exception>
    internal static OwnedTable Create(string name, NetworkNamespace networkNamespace, Contents contents)
    {
        NetlinkSocket socket = networkNamespace.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        bool made = false;
        try
        {
            socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
            NftBatch batch = new(new byte[8192]);
            batch.AddOwnedTable(name);
            contents(ref batch);
            ErrorMessage error = batch.Commit(socket);
            if (error.Errno != Errno.None)
                throw new NetlinkException(
                    $"making nftables table 'inet {name}' in {networkNamespace}", error.Errno, Explain(error, name, socket));
            made = true;
            return new OwnedTable(name, socket);
        }
        finally
        {
            if (!made)
                socket.Dispose();
        }
    }

    /// <summary>Changes the table, in one transaction. One caller at a time.</summary>
    /// <param name="buffer">Holds the transaction.</param>
    /// <exception cref="NetlinkException">Nothing has been changed.</exception>
    internal void Change(Span<byte> buffer, Contents contents)
    {
        NftBatch batch = new(buffer);
        contents(ref batch);
        ErrorMessage error = batch.Commit(_socket);
        if (error.Errno != Errno.None)
            throw new NetlinkException($"changing nftables table 'inet {_name}'", error.Errno, error.Text);
    }

    /// <summary>
    /// Whether such a table could be made. The kernel checks a whole transaction before any of it takes effect, and this one ends with a
    /// request that must fail (the same table once more), so that nothing changes.
    /// </summary>
    /// <param name="unused">A name that no table has.</param>
    /// <returns>Why not; null when it could.</returns>
    internal static string? WhyNot(string unused, NetworkNamespace networkNamespace, Contents contents)
    {
        using NetlinkSocket socket = networkNamespace.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
        NftBatch batch = new(new byte[8192]);
        batch.AddOwnedTable(unused);
        contents(ref batch);
        batch.AddOwnedTable(unused);
        ErrorMessage error = batch.Commit(socket);
        return error.Errno == Errno.EEXIST ? null : $"{error.Errno}: {Explain(error, unused, socket) ?? "the kernel refuses the table"}";
    }

    /// <summary>Whether the namespace has a table <c>inet NAME</c>, and whether a process owns it.</summary>
    internal static (bool Exists, bool IsOwned) Find(string name, NetworkNamespace networkNamespace)
    {
        using NetlinkSocket socket = networkNamespace.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        bool isOwned = false;
        bool exists = Get(name, socket, message =>
        {
            AttributeReader attributes = new(message[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]);
            while (attributes.Next())
            {
                if (attributes.Type == NFTA_TABLE_FLAGS)
                    isOwned = (attributes.U32() & NFT_TABLE_F_OWNER) != 0;
            }
        });
        return (exists, isOwned);
    }

    public void Dispose() => _socket.Dispose();

    private static string? Explain(ErrorMessage error, string name, NetlinkSocket socket) => error.Errno switch
    {
        Errno.EPERM or Errno.EEXIST when Exists(name, socket) => error.Errno == Errno.EPERM
            ? "another process owns a table of this name"
            : "there is a table of this name already; remove it if it is left over",
        Errno.EPERM => "this needs CAP_NET_ADMIN",
        Errno.EOPNOTSUPP or Errno.EINVAL => error.Text ?? "the kernel has no nf_tables, or none that knows owned tables (Linux 5.12)",
        Errno.ENOENT => error.Text ?? "the kernel lacks an nf_tables expression (nft_ct, nft_nat, nft_masq, nft_reject_inet)",
        _ => error.Text,
    };

    private static bool Exists(string name, NetlinkSocket socket) => Get(name, socket, onTable: null);

    private static bool Get(string name, NetlinkSocket socket, AnswerReader? onTable)
    {
        RequestWriter request = new(new byte[256]);
        request.BeginNetfilter(Nfnl.MessageType(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE), Nlmsg.NLM_F_ACK, 1, NFPROTO_INET);
        request.PutString(NFTA_TABLE_NAME, name);
        request.EndMessage();
        return KernelRequest.Exchange(socket, request.Written, onTable).Errno == Errno.None;
    }
}
