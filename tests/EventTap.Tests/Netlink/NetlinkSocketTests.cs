using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public sealed class NetlinkSocketTests
{
    /// <summary>EPERM without CAP_NET_ADMIN, else EINVAL.</summary>
    [Fact]
    public void A_group_that_cannot_be_joined_is_named_in_words()
    {
        using NetlinkSocket socket = new(NetlinkSocket.NETLINK_NETFILTER);
        NetlinkException refused = Assert.Throws<NetlinkException>(
            () => socket.Join(100_000));
        Assert.Equal("joining netlink multicast group 100000", refused.Operation);
    }
}
