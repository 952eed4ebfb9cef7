using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>What of a message's header (RFC 5424, 6.2) is the same in every one.</summary>
internal sealed class SyslogHeader
{
    private const string Unknown = "-"; // NILVALUE

    internal SyslogHeader(SyslogOptions options, string host, int processId)
    {
        Flow = Priority(options.Facility, options.Severity);
        Gap = Priority(options.Facility, options.GapSeverity);
        string name = host.Length <= 255 && IsPrintable(host) ? host : Unknown;
        Origin = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {name} {options.AppName} {processId} "));
    }

    /// <summary>PRI and VERSION of a flow's record: <c>&lt;134&gt;1 </c>.</summary>
    internal byte[] Flow { get; }

    /// <summary>The same of a gap, and of refused connections.</summary>
    internal byte[] Gap { get; }

    /// <summary>HOSTNAME, APP-NAME and PROCID, in blanks.</summary>
    internal byte[] Origin { get; }

    /// <summary>PRINTUSASCII.</summary>
    internal static bool IsPrintable(string text) => text.Length > 0 && text.All(static character => character is > ' ' and <= '~');

    private static byte[] Priority(SyslogFacility facility, SyslogSeverity severity) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<{((int)facility * 8) + (int)severity}>1 "));
}
