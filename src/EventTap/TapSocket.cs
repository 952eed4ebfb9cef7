using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.Nfnl;

namespace ConntrackStream.EventTap;

/// <summary>
/// A netlink socket set up for conntrack events: buffer, loss reporting, filter, then groups, so that no event comes before its filter. A
/// <see cref="ConntrackTap"/> opens and reads one by itself; this is for whoever reads it otherwise, with
/// <see cref="NetlinkSocket.Receive"/>, <see cref="SocketDrops"/> and <see cref="Conntrack.FlowDecoder"/>.
/// </summary>
public sealed class TapSocket : IDisposable
{
    private TapSocket(NetlinkSocket netlink) => Netlink = netlink;

    /// <summary>The socket itself, joined to the groups.</summary>
    public NetlinkSocket Netlink { get; }

    /// <summary>What the kernel granted, in bytes.</summary>
    public int BufferBytes { get; private set; }

    /// <summary>What was asked for, in bytes.</summary>
    public long WantedBytes { get; private set; }

    /// <summary>When it was opened, before it joined any group; ns since the Unix epoch.</summary>
    public long OpenedAt { get; private init; }

    /// <summary>Opens one in the namespace of the options.</summary>
    /// <exception cref="NetlinkException">EPERM: joining needs CAP_NET_ADMIN (entering a namespace CAP_SYS_ADMIN);
    /// EPROTONOSUPPORT: the kernel has no netfilter netlink.</exception>
    public static TapSocket Open(TapOptions options, TimeProvider time, ILogger logger) =>
        options.Namespace.Run(() => OpenHere(options, time.UnixNanoseconds(), logger));

    /// <summary>Makes the buffer as large as is wanted now; never smaller. Beside the reader.</summary>
    /// <returns>It has grown.</returns>
    public bool Grow(long wanted, ILogger logger)
    {
        if (wanted <= WantedBytes)
            return false;
        int before = BufferBytes;
        SetBuffer(wanted, logger);
        if (BufferBytes > before)
            logger.BufferGrown(before, BufferBytes);
        return BufferBytes > before;
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => Netlink.Dispose();

    private static TapSocket OpenHere(TapOptions options, long now, ILogger logger)
    {
        TapSocket socket = new(new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER)) { OpenedAt = now };
        try
        {
            socket.SetUp(options, logger);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void SetUp(TapOptions options, ILogger logger)
    {
        SetBuffer(options.ReceiveBufferBytes ?? SocketBuffer.DefaultBytes(), logger);
        // Without it an overrun stops all delivery until the queue is empty (netlink_overrun, NETLINK_S_CONGESTED).
        Netlink.SetOption(NetlinkOption.NETLINK_NO_ENOBUFS, 1);
        int filterLength = AttachFilter(options.Filter, logger);
        Join(NFNLGRP_CONNTRACK_NEW, nameof(NFNLGRP_CONNTRACK_NEW));
        Join(NFNLGRP_CONNTRACK_DESTROY, nameof(NFNLGRP_CONNTRACK_DESTROY));
        if (options.Updates)
            Join(NFNLGRP_CONNTRACK_UPDATE, nameof(NFNLGRP_CONNTRACK_UPDATE));
        logger.Connected(
            options.Namespace.ToString(), options.Updates ? "NEW, UPDATE, DESTROY" : "NEW, DESTROY", BufferBytes, filterLength);
    }

    private void SetBuffer(long bytes, ILogger logger)
    {
        WantedBytes = bytes;
        BufferBytes = SocketBuffer.Set(Netlink, bytes, out bool forced);
        if (!forced && BufferBytes < bytes)
            logger.BufferLimited(BufferBytes, bytes, BufferBytes / SocketBuffer.BytesPerEvent);
    }

    private int AttachFilter(FlowFilter filter, ILogger logger)
    {
        if (!KernelFilter.TryCompile(filter, out BpfInstruction[]? program, out string? error))
        {
            logger.KernelFilterRefused(error);
            return 0;
        }

        if (program is null)
            return 0;
        try
        {
            Netlink.AttachFilter(program);
            return program.Length;
        }
        catch (NetlinkException e) when (e.Errno is Errno.ENOMEM)
        {
            logger.KernelFilterRefused($"net.core.optmem_max is too small for a kernel filter of {program.Length} instructions");
            return 0;
        }
    }

    private void Join(int group, string name)
    {
        try
        {
            Netlink.Join(group);
        }
        catch (NetlinkException e)
        {
            throw new NetlinkException(
                $"joining {name}", e.Errno, e.Errno is Errno.EPERM ? "this needs CAP_NET_ADMIN in the namespace" : null);
        }
    }
}
