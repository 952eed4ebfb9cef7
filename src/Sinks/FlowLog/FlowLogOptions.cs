using System.ComponentModel.DataAnnotations;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary><c>FlowLog</c>: which flows are logged, how and where.</summary>
public sealed class FlowLogOptions : RecordOptions
{
    /// <summary>Write one at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// A file, made with mode 0640 in a directory that exists, or - for standard output. Symbolic links, FIFOs and devices are refused.
    /// </summary>
    public string Path { get; set; } = StandardOutputPath;

    /// <summary>Which flows.</summary>
    public FlowLogFilterOptions Filter { get; set; } = new();

    /// <summary>When the file is rotated.</summary>
    public RotationOptions Rotation { get; set; } = new();

    /// <summary>
    /// Make an index beside each rotated file of the formats json and ecs, in the background: with it who need not read the file.
    /// </summary>
    public bool Index { get; set; } = true;

    internal const string StandardOutputPath = "-";

    internal bool IsStandardOutput => Path == StandardOutputPath;

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Path.Length == 0 || (!IsStandardOutput && (Path.EndsWith('/') || Path.Contains('\0', StringComparison.Ordinal))))
            yield return new ValidationResult("must be the path of a file, or - for standard output", [nameof(Path)]);
        foreach (ValidationResult problem in base.Validate(validationContext))
            yield return problem;
    }
}
