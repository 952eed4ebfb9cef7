using System.Net;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api.Access;

/// <summary>
/// Is a request over TCP without a token for this machine? A web page of elsewhere can let its own name lead here (DNS rebinding): the
/// browser then asks the service in the page's name, and shows the page the answer. It also names the page's host in the request.
/// </summary>
internal static class HostNames
{
    /// <summary>A loopback address, <c>localhost</c> or a name below it. Without Host there is no browser: HTTP/1.1 requires it.</summary>
    internal static bool IsLocal(HostString host)
    {
        if (!host.HasValue)
            return true;
        string name = host.Host;
        return IPAddress.TryParse(name, out IPAddress? address)
            ? IPAddress.IsLoopback(address)
            : name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase); // RFC 6761, 6.3: never asked of a name server
    }
}
