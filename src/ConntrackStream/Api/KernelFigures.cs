namespace ConntrackStream.Service.Api;

/// <summary><c>kernel</c> of <c>/v1/status</c>: what other programs may change under the service.</summary>
/// <param name="NamespaceProblem">Why no network namespace is followed at the moment; null while one is.</param>
/// <param name="NamespacesReplaced">Times that another network namespace has taken the place of the one that was followed.</param>
/// <param name="ReceiveBufferBytes">What the kernel granted the event socket; null while none is open.</param>
internal sealed record KernelFigures(
    string? NamespaceProblem, long NamespacesReplaced, int? ReceiveBufferBytes, IReadOnlyList<SettingFigures> Settings);

/// <param name="Value">As last read; null where the kernel has no such setting, and before the first look.</param>
/// <param name="Off">It is not as the stream needs it.</param>
/// <param name="TimesOff">Times another program has turned it off.</param>
internal sealed record SettingFigures(string Name, string? Value, bool Off, long TimesOff);
