using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>Against the kernel, on loopback.</summary>
public sealed class DatagramSenderTests : IDisposable
{
    private const int NoChecksum = 11; // SO_NO_CHECK: the kernel cuts no datagrams then (EINVAL)

    private readonly Socket _receiver = Bound();
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly DatagramSender _sender;
    private readonly List<byte[]> _asked = [];

    public DatagramSenderTests()
    {
        _socket.Connect(_receiver.LocalEndPoint!);
        _sender = new DatagramSender(_socket.SafeHandle);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _receiver.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1, 1)]
    [InlineData(1400, 1400, 1400, 900)]
    [InlineData(900, 1400, 1400, 1400)]
    [InlineData(100, 200, 100, 100, 300, 300, 20, 20, 20, 100)]
    [InlineData(9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000)] // more than one buffer may have
    public void Datagrams_arrive_as_they_are_whether_the_kernel_cuts_them_or_not(params int[] lengths)
    {
        Assert.Equal(lengths.Length, Send(lengths));
        Assert.True(_sender.Cuts);
        AssertReceived(lengths.Length);
        _asked.Clear();
        _socket.SetRawSocketOption(1, NoChecksum, BitConverter.GetBytes(1));
        Assert.Equal(lengths.Length, Send(lengths));
        AssertReceived(lengths.Length);
    }

    [Fact]
    public void More_than_the_kernel_cuts_from_a_buffer_or_takes_in_a_vector_are_several()
    {
        int[] equal = [.. Enumerable.Repeat(20, 130)], different = [.. Enumerable.Range(20, 130)];
        Assert.Equal(260, Send([.. equal, .. different]));
        AssertReceived(260);
        Assert.True(_sender.Cuts);
    }

    [Fact]
    public void A_socket_that_cannot_cut_is_asked_once()
    {
        _socket.SetRawSocketOption(1, NoChecksum, BitConverter.GetBytes(1));
        Assert.Equal(3, Send([100, 100, 100]));
        Assert.False(_sender.Cuts);
        AssertReceived(3);
    }

    [Fact]
    public void Behind_different_lengths_it_is_tried_one_by_one()
    {
        _socket.SetRawSocketOption(1, NoChecksum, BitConverter.GetBytes(1));
        Assert.Equal(5, Send([50, 100, 100, 100, 60])); // the first part of the vector goes out, the second is refused
        AssertReceived(5);
    }

    [Theory]
    [InlineData(0, 65_508)] // more than a datagram may have
    [InlineData(2, 100, 200, 65_508, 100)]
    [InlineData(4, 100, 100, 100, 90, 65_508)]
    [InlineData(3, 200, 200, 100, 65_508, 100, 100)]
    public void What_went_out_before_a_failure_is_counted(int expected, params int[] lengths)
    {
        Assert.Equal(expected, Send(lengths, Errno.EMSGSIZE));
        AssertReceived(expected);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    public void That_nobody_listens_shows_at_the_latest_at_the_next_but_one(int datagrams)
    {
        _receiver.Dispose();
        int sent = 0;
        NetlinkException? refused = null;
        for (int i = 0; i < 3 && refused is null; i++) // of different lengths: the kernel's error may come in the midst of a vector
            sent += Send([.. Enumerable.Range(20, datagrams)], out refused);
        Assert.Equal(Errno.ECONNREFUSED, refused?.Errno);
        Assert.InRange(sent, 1, 3);
    }

    private int Send(int[] lengths, Errno? expected = null)
    {
        int sent = Send(lengths, out NetlinkException? failure);
        Assert.Equal(expected, failure?.Errno);
        return sent;
    }

    private int Send(int[] lengths, out NetlinkException? failure)
    {
        byte[] all = RandomNumberGenerator.GetBytes(lengths.Sum());
        int sent = 0, at = 0;
        foreach (int length in lengths)
        {
            _asked.Add(all[at..(at + length)]);
            at += length;
        }

        failure = null;
        try
        {
            _sender.Send(all, lengths, ref sent);
        }
        catch (NetlinkException e)
        {
            failure = e;
        }

        return sent;
    }

    private void AssertReceived(int count)
    {
        List<byte[]> received = [];
        byte[] buffer = new byte[70_000];
        while (received.Count < count || _receiver.Available > 0)
            received.Add(buffer[.._receiver.Receive(buffer)]);
        Assert.Equal(_asked[..count], received);
    }

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveBufferSize = 200_000,
            ReceiveTimeout = 30_000,
        };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
