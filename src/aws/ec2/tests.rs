//! EC2 on the loopback.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::aws::guard::Guard;
use crate::aws::testing::{Answer, PROFILES, Server, connect, options, session};
use crate::aws::{Options, Session};
use crate::base::{Clock, Text};
use crate::inventory::ErrorKind;
use crate::inventory::ec2::{Permission, Route};

fn text(value: &str) -> Text {
    Text::new(value)
}

async fn answering(xml: &'static str) -> (Server, Session) {
    let server = Server::aws(move |_| Some(Answer::xml(200, xml))).await;
    let session = session(&server).await;
    (server, session)
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_and_pages_are_followed() {
    const THROTTLED: &str =
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>";
    const FIRST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>
        <vpcSet><item><vpcId>vpc-1</vpcId><ownerId>1</ownerId><cidrBlock>10.0.0.0/16</cidrBlock>
        <tagSet><item><key>Name</key><value>ml &amp; data</value></item></tagSet></item></vpcSet>
        <nextToken>a+b/=</nextToken></DescribeVpcsResponse>"#;
    const SECOND: &str =
        "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-2</vpcId></item></vpcSet><nextToken/></DescribeVpcsResponse>";
    let tries = AtomicUsize::new(0);
    let server = Server::aws(move |request| {
        Some(match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::xml(503, THROTTLED),
            _ if request.body().contains("&NextToken=a%2Bb%2F%3D") => Answer::xml(200, SECOND),
            _ => Answer::xml(200, FIRST),
        })
    })
    .await;
    let options = Options { profile: Some("patient".to_owned()), ..options(&server) };
    let session = connect(&options, PROFILES).await.unwrap();
    let vpcs = session.ec2().vpcs(&["vpc-1".into(), "vpc-2".into()]).await.unwrap();
    let found: Vec<_> = vpcs.iter().map(|vpc| (vpc.id.as_str(), vpc.name.as_str(), vpc.cidr.as_str())).collect();
    assert_eq!(found, [("vpc-1", "ml & data", "10.0.0.0/16"), ("vpc-2", "", "")]);
    assert!(vpcs[0].dns_support.known().is_err());
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        seen[0].body(),
        "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2"
    );
    assert!(seen[1].has("Credential=AKIDEXAMPLE/") && seen[1].has("/us-east-1/ec2/aws4_request"), "{}", seen[1].0);
    let line = session.calls().into_iter().find(|line| line.operation == "ec2:DescribeVpcs").unwrap();
    assert_eq!((line.calls, line.attempts, line.throttles, line.errors), (2, 3, 1, 0));
}

#[tokio::test]
async fn nobody_asks_for_everything_and_many_are_asked_for_in_parts() {
    let (server, session) = answering("<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>").await;
    assert!(session.ec2().subnets(&[]).await.unwrap().is_empty());
    assert!(server.seen().is_empty());
    let ids: Vec<ResourceId> = (0..401).map(|n| format!("subnet-{n}").into()).collect();
    session.ec2().subnets(&ids).await.unwrap();
    let values: Vec<_> = server.seen().iter().map(|request| request.body().matches("Value.").count()).collect();
    assert_eq!(values, [200, 200, 1]);
}

#[tokio::test]
async fn a_write_is_refused_here_too() {
    let (server, session) = answering("<DescribeVpcsResponse/>").await;
    let before = server.connections();
    let error = session.ec2().call::<answers::DescribeVpcs>("DeleteVpc", Vec::new()).await.unwrap_err();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Refused, "ec2:DeleteVpc"));
    assert_eq!(server.connections(), before);
}

#[tokio::test]
async fn errors_are_told_apart() {
    let error = |code: &str| {
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>"
        )
    };
    for (answer, kind) in [
        (Answer::xml(400, &error("InvalidVpcID.NotFound")), ErrorKind::NotFound),
        (Answer::xml(403, &error("UnauthorizedOperation")), ErrorKind::Denied),
        (Answer::xml(503, &error("RequestLimitExceeded")), ErrorKind::Throttled),
        (Answer::xml(400, &error("InvalidAction")), ErrorKind::Unsupported),
        (Answer::xml(401, &error("AuthFailure")), ErrorKind::Unsupported),
        (Answer::xml(400, &error("RequestExpired")), ErrorKind::Expired),
        (Answer::xml(500, "<html"), ErrorKind::Service),
        (Answer::xml(200, "<html><body>hello"), ErrorKind::Malformed),
        (Answer::xml(200, "<DescribeVpcAttributeResponse/>"), ErrorKind::Malformed),
        (Answer(200, "text/html", "<html>Sign in</html>".to_owned()), ErrorKind::Malformed),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::aws(move |_| Some(answer.clone())).await;
        let asked = session(&server).await;
        let error = asked.ec2().vpc_attribute(&"vpc-1".into(), VpcAttribute::DnsSupport).await.unwrap_err();
        assert_eq!(error.kind, kind, "{shown} {error}");
    }
    // An answer without its list is not an empty list.
    let (_server, session) = answering("<DescribeVpcsResponse><requestId>r</requestId></DescribeVpcsResponse>").await;
    assert_eq!(session.ec2().vpcs(&["vpc-1".into()]).await.unwrap_err().kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn dns_attributes() {
    for (xml, attribute, expected) in [
        (
            "<R><vpcId>vpc-1</vpcId><enableDnsSupport><value>true</value></enableDnsSupport></R>",
            VpcAttribute::DnsSupport,
            true,
        ),
        ("<R><enableDnsHostnames><value>false</value></enableDnsHostnames></R>", VpcAttribute::DnsHostnames, false),
    ] {
        let (_server, session) = answering(xml).await;
        assert_eq!(session.ec2().vpc_attribute(&"vpc-1".into(), attribute).await, Ok(expected));
    }
}

#[tokio::test]
async fn subnets_and_route_tables() {
    let (_server, session) = answering(
        "<R><subnetSet><item><subnetId>subnet-1</subnetId><state>available</state><vpcId>vpc-1</vpcId>
         <cidrBlock>10.0.1.0/24</cidrBlock><availabilityZone>us-east-1a</availabilityZone>
         <mapPublicIpOnLaunch>true</mapPublicIpOnLaunch><tagSet/></item></subnetSet></R>",
    )
    .await;
    let subnets = session.ec2().subnets(&["subnet-1".into()]).await.unwrap();
    let expected = Subnet {
        id: "subnet-1".into(),
        name: text(""),
        vpc: "vpc-1".into(),
        zone: text("us-east-1a"),
        cidr: text("10.0.1.0/24"),
        public_ip: true,
    };
    assert_eq!(subnets, [expected]);

    let (_server, session) = answering(
        "<R><routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet>
         <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>
         <item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId><state>active</state></item>
         <item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><state>active</state></item>
         <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><instanceId>i-1</instanceId><networkInterfaceId>eni-1</networkInterfaceId><state>blackhole</state></item>
         </routeSet><associationSet>
         <item><routeTableAssociationId>a</routeTableAssociationId><main>true</main></item>
         <item><subnetId>subnet-1</subnetId><main>false</main></item></associationSet></item></routeTableSet></R>",
    )
    .await;
    let tables = session.ec2().route_tables(&["vpc-1".into()]).await.unwrap();
    let route = |destination: &str, target: &str, state: &str| Route {
        destination: text(destination),
        target: target.into(),
        state: text(state),
    };
    assert!(tables[0].main);
    assert_eq!(tables[0].subnets, ["subnet-1"]);
    assert_eq!(
        tables[0].routes,
        [
            route("10.0.0.0/16", "local", "active"),
            route("pl-1", "vpce-1", "active"),
            route("::/0", "eigw-1", "active"),
            route("0.0.0.0/0", "eni-1", "blackhole"),
        ]
    );
}

#[tokio::test]
async fn endpoints_and_security_groups() {
    let (_server, session) = answering(
        "<R><vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType>
         <vpcId>vpc-1</vpcId><serviceName>com.amazonaws.us-east-1.bedrock</serviceName><state>available</state>
         <policyDocument>{&quot;Statement&quot;:[]}</policyDocument><routeTableIdSet/>
         <subnetIdSet><item>subnet-1</item><item>subnet-2</item></subnetIdSet>
         <groupSet><item><groupId>sg-1</groupId><groupName>g</groupName></item></groupSet>
         <privateDnsEnabled>true</privateDnsEnabled></item></vpcEndpointSet></R>",
    )
    .await;
    let endpoints = session.ec2().endpoints(&["vpc-1".into()]).await.unwrap();
    let endpoint = &endpoints[0];
    assert_eq!((endpoint.id.as_str(), endpoint.kind.as_str(), endpoint.private_dns), ("vpce-1", "Interface", true));
    assert_eq!(endpoint.policy.as_ref().map(crate::inventory::Document::raw), Some(r#"{"Statement":[]}"#));
    assert_eq!(endpoint.subnets, ["subnet-1", "subnet-2"]);
    assert_eq!(endpoint.security_groups, ["sg-1"]);
    assert!(endpoint.route_tables.is_empty());

    let (_server, session) = answering(
        "<R><securityGroupInfo><item><ownerId>1</ownerId><groupId>sg-1</groupId><groupName>train</groupName><vpcId>vpc-1</vpcId>
         <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>
         <groups><item><groupId>sg-2</groupId><userId>1</userId></item></groups><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>d</description></item></ipRanges>
         <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges><prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item></ipPermissions>
         <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress>
         </item></securityGroupInfo></R>",
    )
    .await;
    let groups = session.ec2().security_groups(&["sg-1".into()]).await.unwrap();
    let peers = ["10.0.0.0/8", "::/0", "pl-1", "sg-2"].map(text).to_vec();
    let expected = SecurityGroup {
        id: "sg-1".into(),
        name: text("train"),
        vpc: "vpc-1".into(),
        ingress: vec![Permission { protocol: text("tcp"), ports: Some((443, 443)), peers }],
        egress: vec![Permission { protocol: text("-1"), ports: None, peers: vec![text("0.0.0.0/0")] }],
    };
    assert_eq!(groups, [expected]);
}

#[tokio::test]
async fn without_an_override_the_host_is_that_of_the_region() {
    let (sdk, _) = crate::aws::testing::sdk(&answering("<R/>").await.0);
    let sdk = sdk.into_builder().use_fips(true);
    let mut sdk = sdk;
    sdk.set_endpoint_url(None);
    let (guard, service) = (Guard::read_only(), small::Service::Ec2);
    let client = small::Client::new(&sdk.build(), &guard, "us-west-2", "123456789012", service, Clock::System);
    assert_eq!(client.url(), "https://ec2-fips.us-west-2.amazonaws.com");
}

#[tokio::test]
async fn what_surrounds_a_vpc() {
    let (_server, session) = answering(
        "<R><dhcpOptionsSet><item><dhcpOptionsId>dopt-1</dhcpOptionsId><dhcpConfigurationSet><item><key>domain-name</key>
         <valueSet><item><value>ec2.internal</value></item></valueSet></item><item><key>domain-name-servers</key>
         <valueSet><item><value>AmazonProvidedDNS</value></item><item><value>10.0.0.9</value></item></valueSet></item>
         </dhcpConfigurationSet></item></dhcpOptionsSet></R>",
    )
    .await;
    let options = session.ec2().dhcp_options(&["dopt-1".into()]).await.unwrap();
    assert_eq!(options[0].name_servers, [text("AmazonProvidedDNS"), text("10.0.0.9")]);

    let (_server, session) = answering(
        "<R><flowLogSet><item><flowLogId>fl-1</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>vpc-1</resourceId>
         <trafficType>ALL</trafficType><deliverLogsStatus>FAILED</deliverLogsStatus><deliverLogsErrorMessage>Access error</deliverLogsErrorMessage>
         <logDestination>arn:aws:s3:::flows</logDestination></item></flowLogSet></R>",
    )
    .await;
    let log = session.ec2().flow_logs(&["vpc-1".into()]).await.unwrap().remove(0);
    assert_eq!((log.status.as_str(), log.delivery.as_str(), log.traffic.as_str()), ("ACTIVE", "FAILED", "ALL"));
    assert_eq!((log.destination, log.error), (text("arn:aws:s3:::flows"), Some(text("Access error"))));

    let (_server, session) = answering(
        "<R><prefixListSet><item><prefixListId>pl-1</prefixListId><prefixListName>com.amazonaws.us-east-1.s3</prefixListName>
         <ownerId>AWS</ownerId></item></prefixListSet></R>",
    )
    .await;
    assert_eq!(session.ec2().prefix_lists(&["pl-1".into()]).await.unwrap()[0].name, text("com.amazonaws.us-east-1.s3"));

    let (_server, session) = answering(
        "<R><vpcBlockPublicAccessOptions><state>update-complete</state><internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode>
         </vpcBlockPublicAccessOptions></R>",
    )
    .await;
    assert_eq!(session.ec2().vpc_block().await.unwrap().mode, text("block-bidirectional"));
}
