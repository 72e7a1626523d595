//! The signature that `petasos verify` asks a bucket with, held to the vendor's own worked example.
use std::process::Command;

/// "GET Bucket Lifecycle" in "Signature Calculations for the Authorization Header: Transferring
/// Payload in a Single Chunk" of the Amazon S3 API Reference: its time, keys, region and signature.
const ASK: &str = "
import datetime, sys
sys.dont_write_bytecode = True
sys.path.insert(0, 'remote/verify')
import s3
keys = ('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
url = 'https://examplebucket.s3.amazonaws.com/?lifecycle='
print(s3.signed(url, 'us-east-1', keys, datetime.datetime(2013, 5, 24))['authorization'])
";

#[test]
fn the_worked_example_of_the_vendor() {
    let done = Command::new("python3").args(["-I", "-S", "-c", ASK]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    assert!(said.trim().ends_with(signature), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"));
}
