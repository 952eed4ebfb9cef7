using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Opens the event socket as the service would, joins the groups, and reads back what buffer the kernel gave it.</summary>
internal static class BufferCheck
{
    /// <summary>Receive memory that one waiting event takes, measured.</summary>
    private const int BytesPerEvent = 1280;

    /// <summary>Below this a burst of new connections overruns the socket before the reader is scheduled.</summary>
    private const long TooSmall = 1 << 20;

    internal static CheckResult Run(TapSettings settings, NetworkNamespace networkNamespace)
    {
        try
        {
            using TapSocket socket = TapSocket.Open(
                TapConfiguration.ToTap(settings, networkNamespace),
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            return Judge(socket.BufferBytes);
        }
        catch (NetlinkException e)
        {
            return CheckResult.Fail("event socket", e.Message, Cli.FailureReport.Judge(e).Advice ?? "see the error");
        }
    }

    internal static CheckResult Judge(long bytes)
    {
        string finding = string.Create(
            CultureInfo.InvariantCulture, $"receive buffer {bytes / 1024} KiB, room for some {bytes / BytesPerEvent} waiting events");
        return bytes < TooSmall
            ? CheckResult.Warn(
                "event socket",
                finding,
                "raise Tap:ReceiveBufferBytes; past net.core.rmem_max it needs CAP_NET_ADMIN in the first user namespace")
            : CheckResult.Ok("event socket", finding);
    }
}
