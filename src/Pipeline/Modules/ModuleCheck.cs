using System.Text.Json;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>Lines of <c>doctor</c>: what would keep the module from working here. Nothing is changed.</summary>
public delegate Task<IEnumerable<CheckResult>> ModuleCheck(CheckContext context, CancellationToken cancellationToken);

/// <summary>What a check can go by.</summary>
/// <param name="CanAskKernel">Connection tracking can be read; without, nothing but files is worth looking at.</param>
/// <param name="HasFilter">Tap:Filter hides flows.</param>
/// <param name="RunningStatus">What the module of the running service reports under this name; null where none runs.</param>
public sealed record CheckContext(bool CanAskKernel, bool HasFilter, Func<string, CancellationToken, Task<JsonElement?>> RunningStatus);
