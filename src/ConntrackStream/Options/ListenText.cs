using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace ConntrackStream.Service.Options;

/// <summary>Addresses to listen on: always with a port, so that none is guessed.</summary>
internal static class ListenText
{
    internal const string Allowed = "addresses with a port, such as 127.0.0.1:8080 or [::1]:8080";

    internal static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? endpoint) =>
        IPEndPoint.TryParse(text, out endpoint) && endpoint.Port != 0;
}
