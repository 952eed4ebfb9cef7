using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

/// <summary>Over real sockets: rtnetlink answers everybody's questions about links, and NETLINK_USERSOCK lets anybody send.</summary>
public sealed class NetlinkAnswersTests
{
    private const int NETLINK_USERSOCK = 2;
    private const ushort RTM_NEWLINK = 16, RTM_GETLINK = 18;

    private readonly byte[] _buffer = new byte[KernelRequest.BufferLength];

    [Fact]
    public void The_answers_to_other_requests_are_left_out()
    {
        using NetlinkSocket socket = new(NetlinkSocket.NETLINK_ROUTE);
        for (uint sequence = 1; sequence <= 4; sequence++)
            Assert.Equal(Errno.None, socket.Send(AskForLoopback(sequence, Nlmsg.NLM_F_ACK)));
        NetlinkAnswers answers = new(socket, _buffer, first: 2, count: 2, wait: false);
        List<(uint Index, ushort Type)> read = [];
        Errno end;
        while ((end = answers.Next()) == Errno.None)
            read.Add((answers.Index, answers.Header.Type));
        Assert.Equal([(0, RTM_NEWLINK), (0, Nlmsg.NLMSG_ERROR), (1, RTM_NEWLINK), (1, Nlmsg.NLMSG_ERROR)], read);
        Assert.Equal(Errno.EAGAIN, end);
    }

    [Fact]
    public void What_other_processes_send_is_no_answer()
    {
        using NetlinkSocket socket = new(NETLINK_USERSOCK), stranger = new(NETLINK_USERSOCK);
        Assert.Equal(Errno.None, stranger.Send(AskForLoopback(1, 0), socket.PortId));
        Assert.Equal(Errno.EAGAIN, new NetlinkAnswers(socket, _buffer, first: 1, wait: false).Next());
        Assert.Equal(Errno.None, stranger.Send(AskForLoopback(1, 0), socket.PortId));
        Assert.NotEqual(-(int)Errno.EAGAIN, socket.Receive(_buffer, out uint sender, wait: false)); // it does arrive
        Assert.Equal(stranger.PortId, sender);
    }

    [Fact]
    public void An_answer_longer_than_the_buffer_is_a_failure()
    {
        using NetlinkSocket socket = new(NetlinkSocket.NETLINK_ROUTE);
        Assert.Equal(Errno.None, socket.Send(AskForLoopback(1, 0)));
        Assert.Equal(Errno.EMSGSIZE, new NetlinkAnswers(socket, _buffer.AsSpan(0, 64), first: 1, wait: false).Next());
    }

    [Fact]
    public void A_wait_ends_with_the_receive_timeout()
    {
        using NetlinkSocket socket = new(NetlinkSocket.NETLINK_ROUTE);
        socket.SetReceiveTimeout(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Errno.EAGAIN, new NetlinkAnswers(socket, _buffer, first: 1).Next());
    }

    [Fact]
    public void An_exchange_gives_the_answer_or_the_first_failure_with_the_kernels_words()
    {
        using NetlinkSocket socket = new(NetlinkSocket.NETLINK_ROUTE);
        socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
        socket.SetOption(NetlinkOption.NETLINK_GET_STRICT_CHK, 1);
        int index = 0;
        ErrorMessage found = KernelRequest.Exchange(socket, AskForLoopback(1, Nlmsg.NLM_F_ACK), message =>
            index = BinaryPrimitives.ReadInt32LittleEndian(message[(Nlmsg.HeaderLength + 4)..])); // ifi_index
        Assert.Equal((Errno.None, 1), (found.Errno, index));

        byte[] both = [.. Ask(2, "no-such-link"), .. AskForLoopback(3, Nlmsg.NLM_F_ACK)];
        Assert.Equal(Errno.ENODEV, KernelRequest.Exchange(socket, both).Errno);
        byte[] bad = AskForLoopback(4, Nlmsg.NLM_F_ACK);
        bad[Nlmsg.HeaderLength + 2] = 1; // ifi_type, by which no link is asked for
        ErrorMessage refused = KernelRequest.Exchange(socket, bad);
        Assert.Equal(Errno.EINVAL, refused.Errno);
        Assert.False(string.IsNullOrWhiteSpace(refused.Text));
    }

    private static byte[] AskForLoopback(uint sequence, int flags) => Ask(sequence, "lo", flags);

    private static byte[] Ask(uint sequence, string name, int flags = Nlmsg.NLM_F_ACK)
    {
        RequestWriter request = new(new byte[128]);
        request.BeginMessage(RTM_GETLINK, flags, sequence);
        request.Take(16); // struct ifinfomsg
        request.PutString(3, name); // IFLA_IFNAME
        request.EndMessage();
        return request.Written.ToArray();
    }
}
