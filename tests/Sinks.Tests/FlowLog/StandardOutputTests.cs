using System.IO.Pipes;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class StandardOutputTests
{
    [Fact]
    public async Task A_slow_reader_of_a_pipe_gets_everything()
    {
        byte[] sent = new byte[300_000]; // more than the pipe holds
        new Random(1).NextBytes(sent);
        using AnonymousPipeServerStream reader = new(PipeDirection.In);
        Task<byte[]> received = Task.Run(() => ReadAll(reader, sent.Length));
        await using StandardOutput output = new(Descriptor(reader));
        Assert.Equal(sent.Length, output.Write(sent, out Errno error, CancellationToken.None));
        Assert.Equal(Errno.None, error);
        Assert.Equal(sent, await received);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_the_write_until_it_is_cancelled()
    {
        using AnonymousPipeServerStream reader = new(PipeDirection.In);
        await using StandardOutput output = new(Descriptor(reader));
        using CancellationTokenSource cancel = new();
        cancel.CancelAfter(TimeSpan.FromMilliseconds(1));
        int written = output.Write(new byte[1_000_000], out Errno error, cancel.Token);
        Assert.InRange(written, 1, 999_999);
        Assert.Equal(Errno.EAGAIN, error);
    }

    [Fact]
    public async Task A_reader_that_went_away_is_told()
    {
        AnonymousPipeServerStream reader = new(PipeDirection.In);
        using Microsoft.Win32.SafeHandles.SafePipeHandle client = reader.ClientSafePipeHandle;
        await using StandardOutput output = new((int)client.DangerousGetHandle());
        reader.SafePipeHandle.Dispose();
        Assert.Equal(0, output.Write("x\n"u8, out Errno error, CancellationToken.None));
        Assert.Equal(FileCalls.EPIPE, error);
    }

    [Fact]
    public async Task A_full_device_is_an_error_not_a_wait()
    {
        using FileStream full = new("/dev/full", FileMode.Open, FileAccess.Write);
        await using StandardOutput output = new((int)full.SafeFileHandle.DangerousGetHandle());
        Assert.Equal(0, output.Write("x\n"u8, out Errno error, CancellationToken.None));
        Assert.Equal(Errno.ENOSPC, error);
    }

    [Fact]
    public async Task A_socket_takes_lines_too()
    {
        using TemporaryDirectory directory = new();
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(directory.File("s")));
        listener.Listen(1);
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(directory.File("s")), TestContext.Current.CancellationToken);
        using Socket server = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        byte[] sent = new byte[1_000_000];
        await using StandardOutput output = new((int)client.Handle);
        Task<byte[]> received = Task.Run(() => ReadAll(new NetworkStream(server), sent.Length));
        Assert.Equal(sent.Length, output.Write(sent, out _, CancellationToken.None));
        Assert.Equal(sent, await received);
    }

    private static byte[] ReadAll(Stream stream, int length)
    {
        byte[] all = new byte[length];
        stream.ReadExactly(all);
        return all;
    }

    private static int Descriptor(AnonymousPipeServerStream reader) => (int)reader.ClientSafePipeHandle.DangerousGetHandle();
}
